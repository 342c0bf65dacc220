"""A classifier and its images, inspected before training."""

import dataclasses

import keras
import numpy as np

from keras_fewlabels.data.checks import (
    check_input_shape,
    check_labels,
    check_same_images,
    check_values,
    is_multi_hot,
)
from keras_fewlabels.data.sources import (
    ImageSource,
    image_source,
    labeled_arrays,
)
from keras_fewlabels.foundation import (
    check_built,
    check_classifier,
    check_strategy,
    flatten_layers,
    resolve_value_range,
)
from keras_fewlabels.policies.parts import (
    ClassScores,
    check_class_scores,
    scores_of,
    scores_of_loss,
)

# The unlabelled images that are looked at before training.
_SAMPLE_SIZE = 1000


@dataclasses.dataclass(frozen=True)
class Task:
    """A classifier and its data, checked against each other.

    Args:
        labeled: Pair of arrays, images and labels.
        unlabeled: `ImageSource`.
        sample: Array of some unlabelled images.
        sample_numbers: Int array, the numbers of these images.
        value_range: Pair of floats, the values of black and white.
        num_classes: Int.
        scores: `ClassScores`, the kind of scores that the model gives.
        one_hot: Boolean, whether the user's labels are rows.
        layers_know_labels: Boolean, whether the model comes from a run that
            trained the layers below its head. Labels cannot measure heads on
            such layers then.
    """

    labeled: tuple
    unlabeled: ImageSource
    sample: np.ndarray
    sample_numbers: np.ndarray
    value_range: tuple
    num_classes: int
    scores: ClassScores
    one_hot: bool
    layers_know_labels: bool = False

    @property
    def class_counts(self):
        """Labelled images per class, int array of shape `(num_classes,)`."""
        return self.count_classes(self.labeled[1])

    @property
    def shape_judged(self):
        """Shape of the probabilities that a policy judges, a tuple."""
        return self.scores.shape_judged(self.num_classes)

    def num_validation(self, split):
        """Returns how many labelled images a part of them is, an int.

        One image per class is the least that stands for all classes.

        Args:
            split: Float, the part.
        """
        fewest = self.num_classes if self.scores.one_true else 1
        return max(fewest, round(split * len(self.labeled[0])))

    def count_classes(self, labels):
        """Returns the number of images per class, `(num_classes,)` ints."""
        return self.scores.count_classes(labels, self.num_classes)

    def check(self, labeled, argument):
        """Checks that further images are like the labelled ones.

        Args:
            labeled: As for `labeled_arrays`, or `None`.
            argument: String, the name of the argument in errors.

        Returns:
            Pair of arrays, the labels as the loss takes them, or `None`.
            `ImageFiles` stay on disk.

        Raises:
            ValueError: If they differ in shape or dtype, or hold other values
                or classes.
        """
        if labeled is None:
            return None
        images, labels = labeled_arrays(labeled, argument, in_memory=False)
        expected = self.labeled[0]
        if (images.shape[1:], images.dtype) != (
            expected.shape[1:],
            expected.dtype,
        ):
            raise ValueError(
                f"`{argument}` must hold images like the labelled ones. "
                f"Received: shape={images.shape[1:]}, dtype={images.dtype}; "
                f"labeled has {expected.shape[1:]}, {expected.dtype}"
            )
        if not isinstance(images, np.ndarray):
            check_values(
                np.asarray(images[:_SAMPLE_SIZE]), argument, self.value_range
            )
        else:
            check_values(images, argument, self.value_range)
        check_labels(
            labels,
            argument,
            num_classes=self.num_classes,
            one_true=self.scores.one_true,
        )
        return images, self.scores.as_loss_takes(labels, self.num_classes)


def inspect_task(
    model, labeled, unlabeled, value_range=None, layers_know_labels=False
):
    """Finds out what there is to learn, and checks that it goes together.

    Args:
        model: Built Keras classifier. If it is compiled, its loss says
            whether it gives logits and whether labels are class numbers.
        labeled: As for `labeled_arrays`.
        unlabeled: As for `image_source`.
        value_range: Optional pair of floats, the values of black and white.
            By default found out from the images.
        layers_know_labels: Boolean, as for `Task`.

    Returns:
        A `Task`.

    Raises:
        ValueError: If model, labels and images do not go together.
    """
    _check_model(model)
    images, labels = labeled_arrays(labeled, "labeled")
    source = image_source(unlabeled)
    sample_numbers = source.draw(_SAMPLE_SIZE)
    sample = source.take(sample_numbers)
    check_same_images(images, sample)
    value_range = resolve_value_range(value_range, images, "labeled")
    check_values(images, "labeled", value_range)
    in_memory = isinstance(source.images, np.ndarray)
    check_values(
        source.images if in_memory else sample, "unlabeled", value_range
    )
    _check_scaling(model, value_range)
    check_input_shape(model, images, "model")
    check_classifier(model, "student", images[:8], trained=True)
    outputs = check_class_scores(
        model(images[:8], training=False), None, "student"
    )
    # A model that is not compiled is trained with rows, which may be soft.
    if model.compiled:
        scores = scores_of_loss(model.loss, outputs.shape[-1])
        check_class_scores(outputs, scores, "student", model=model)
    else:
        scores = scores_of(outputs, model, "student")
    num_classes = scores.num_classes(outputs.shape[-1])
    _check_kind(scores, labels)
    check_labels(
        labels,
        "labels of labeled",
        num_classes=num_classes,
        one_true=scores.one_true,
    )
    task = Task(
        labeled=(images, scores.as_loss_takes(labels, num_classes)),
        unlabeled=source,
        sample=sample,
        sample_numbers=sample_numbers,
        value_range=value_range,
        num_classes=num_classes,
        scores=scores,
        one_hot=labels.ndim == 2,
        layers_know_labels=layers_know_labels,
    )
    _check_every_class(task.class_counts)
    return task


def _check_kind(scores, labels):
    if scores.one_true and is_multi_hot(labels):
        raise ValueError(
            "Images have several labels or none, and the model is one of "
            "classes of which one is true. End it with a sigmoid for each "
            "label, as `models.classifier(..., activation='sigmoid')` does, "
            "or compile it with `keras.losses.BinaryCrossentropy`. Received: "
            f"labels whose rows sum to {labels.sum(1).min():g} to "
            f"{labels.sum(1).max():g}"
        )


def _check_model(model):
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`build_student` must return a built Keras model. "
            f"Received: {model!r}"
        )
    check_built(model, "student")
    check_strategy(model, "student")


def _check_scaling(model, value_range):
    """Checks that a model does not scale down images that are scaled."""
    for layer in flatten_layers(model, include_self=False):
        if not isinstance(layer, keras.layers.Rescaling):
            continue
        if np.max(layer.scale) < 0.02 and value_range[1] <= 1:
            raise ValueError(
                f"The model scales its images down (layer {layer.name!r}), "
                "but they are scaled already. Leave one of the two out. "
                f"Received: images in {tuple(value_range)}, scale="
                f"{layer.scale}"
            )
        # Only the first of them sees the images.
        return


def _check_every_class(class_counts):
    missing = np.flatnonzero(class_counts == 0)
    if len(missing):
        raise ValueError(
            "Each class of the model needs at least one labelled image. Label "
            "some, or build the model with fewer outputs. Received: none of "
            f"class {', '.join(map(str, missing))}"
        )
