"""What a model and its images are, found out and checked."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.checks.images import (
    check_input_shape,
    check_same_images,
    check_values,
)
from keras_fewlabels.data.checks.labels import check_labels, class_numbers
from keras_fewlabels.data.sources.labeled_arrays import (
    labeled_arrays,
    sample_of,
)
from keras_fewlabels.data.sources.unlabeled_source import unlabeled_source
from keras_fewlabels.foundation.arguments import check_value_range
from keras_fewlabels.foundation.keras_internals import flatten_layers
from keras_fewlabels.policies.parts.class_probabilities import (
    check_class_scores,
    gives_logits,
    reads_class_numbers,
)

# So many unlabelled images are looked at before training.
_LOOKED_AT = 1000
# What images usually hold, the narrowest first.
_VALUE_RANGES = ((0, 1), (-1, 1), (0, 255))


@dataclasses.dataclass(frozen=True)
class Task:
    """A classifier and its data, checked against each other.

    Args:
        labeled: Pair of arrays, images and labels.
        unlabeled: Array, `ImageFiles` or dataset of images.
        sample: Array of some of the unlabelled images.
        num_unlabeled: Int.
        value_range: Pair of floats, the values of black and white.
        num_classes: Int.
        from_logits: Boolean, whether the model gives logits.
        sparse: Boolean, whether its loss takes class numbers.
    """

    labeled: tuple
    unlabeled: object
    sample: np.ndarray
    num_unlabeled: int
    value_range: tuple
    num_classes: int
    from_logits: bool
    sparse: bool

    @property
    def class_counts(self):
        """Labelled images per class, int array of shape `(num_classes,)`."""
        return self.count_classes(self.labeled[1])

    def count_classes(self, labels):
        """Images per class, int array of shape `(num_classes,)`."""
        return np.bincount(class_numbers(labels), minlength=self.num_classes)

    def check(self, labeled, argument):
        """Refuses further images that are not like the labelled ones.

        Args:
            labeled: As for `labeled_arrays`, or `None`.
            argument: String, how the caller calls it.

        Returns:
            Pair of arrays, the labels as the loss takes them, or `None`.
            `ImageFiles` stay on disk.
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
        in_memory = isinstance(images, np.ndarray)
        check_values(
            images if in_memory else sample_of(images, _LOOKED_AT),
            argument,
            self.value_range,
        )
        check_labels(labels, argument, num_classes=self.num_classes)
        return images, self.as_loss_takes(labels)

    def as_loss_takes(self, labels):
        """Class numbers or one-hot rows, whichever the loss takes."""
        if self.sparse:
            return class_numbers(labels)
        if labels.ndim == 2:
            return labels.astype("float32")
        return keras.utils.to_categorical(labels, self.num_classes)


def look_at(model, labeled, unlabeled, value_range=None):
    """Finds out what there is to learn, and refuses what does not fit.

    Args:
        model: Built Keras classifier. If it is compiled, its loss says
            whether it gives logits and whether labels are class numbers.
        labeled: As for `labeled_arrays`.
        unlabeled: Array, `ImageFiles`, `tf.data.Dataset` or `PyDataset` of
            images.
        value_range: Optional pair of floats, the values of black and white.
            By default found out from the images.

    Returns:
        A `Task`.

    Raises:
        ValueError: If model, labels and images do not go together.
    """
    _check_model(model)
    images, labels = labeled_arrays(labeled, "labeled")
    source = unlabeled_source(unlabeled)
    unlabeled = source.source
    sample = sample_of(unlabeled, _LOOKED_AT)
    check_same_images(images, sample)
    if value_range is None:
        value_range = _value_range(images)
    check_value_range(value_range)
    for argument, array in (
        ("labeled", images),
        (
            "unlabeled",
            unlabeled if isinstance(unlabeled, np.ndarray) else sample,
        ),
    ):
        check_values(array, argument, value_range)
    _check_scaling(model, value_range)
    outputs = _outputs(model, images)
    num_classes = outputs.shape[-1]
    check_labels(labels, "labels of labeled", num_classes=num_classes)
    from_logits, sparse = _reading(model, outputs)
    task = Task(
        (images, labels),
        unlabeled,
        sample,
        len(source),
        tuple(value_range),
        num_classes,
        from_logits,
        sparse,
    )
    _check_every_class(task.class_counts)
    return dataclasses.replace(
        task, labeled=(images, task.as_loss_takes(labels))
    )


def _check_model(model):
    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(
            "`build_student` must return a built Keras model: add a "
            "`keras.Input`, or call `model.build(input_shape)`. "
            f"Received: {model!r}"
        )


def _outputs(model, images):
    check_input_shape(model, images, "model")
    outputs = ops.convert_to_numpy(model(images[:8], training=False))
    check_class_scores(outputs, True, "student")
    return outputs


def _reading(model, outputs):
    """Whether the model gives logits, and its labels are class numbers."""
    sparse = model.compiled and reads_class_numbers(model.loss)
    return gives_logits(outputs, model, "student"), sparse


def _value_range(images):
    if images.dtype == "uint8":
        return (0, 255)
    low, high = float(images.min()), float(images.max())
    for bounds in _VALUE_RANGES:
        if bounds[0] <= low and high <= bounds[1]:
            return bounds
    raise ValueError(
        "What is black and what is white cannot be seen from the images. Pass "
        "`value_range=(black, white)`. Received: labelled images with values "
        f"from {low:.4g} to {high:.4g}"
    )


def _check_scaling(model, value_range):
    """Refuses a model that scales down what is scaled down already."""
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
