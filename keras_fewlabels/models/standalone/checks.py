"""What `standalone` can make a model of that needs nothing else."""

import keras
import numpy as np

from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.foundation.keras_internals import (
    flatten_layers,
    is_graph,
)
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.student.student_model import StudentModel
from keras_fewlabels.policies.parts.class_probabilities import (
    class_probabilities,
    gives_probabilities,
)

# How far the probabilities of a copy may be off.
_TOLERANCE = {"float16": 1e-2, "bfloat16": 1e-2}


def classifier_in(model, which):
    """The classifier itself, without what trains it.

    Args:
        model: Keras model, as the caller passed it.
        which: Should be `"student"` or `"teacher"`.

    Returns:
        A functional or `Sequential` model of images.

    Raises:
        ValueError: If there is none.
    """
    if which not in ("student", "teacher"):
        raise ValueError(
            f'`which` must be "student" or "teacher". Received: which={which!r}'
        )
    classifier = model
    if isinstance(model, StudentModel):
        classifier = getattr(model, which, None)
    elif which == "teacher":
        classifier = None
    if isinstance(classifier, EMATeacher):
        classifier = classifier.model
    if classifier is None:
        raise ValueError(
            '`which="teacher"` needs a `NoisyStudentModel` that has a teacher. '
            f"Received: model={model!r}"
        )
    if not is_graph(classifier) or not classifier.built:
        raise ValueError(
            "`model` must be a functional or `Sequential` model that is built, "
            "or a `NoisyStudentModel` around one; write a subclassed model as "
            f"a functional one. Received: model={classifier!r}"
        )
    shape = classifier.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] is None:
        raise ValueError(
            "The classifier must have one input, images of shape "
            f"(batch, height, width, channels). Received: {shape}"
        )
    return classifier


def check_class_names(class_names):
    """Refuses what does not name each class, once, in one line."""
    is_list = isinstance(class_names, (list, tuple))
    if (
        not is_list
        or not all(isinstance(name, str) and name for name in class_names)
        or len(set(class_names)) < len(class_names)
        or any(len(name.splitlines()) > 1 for name in class_names)
    ):
        raise ValueError(
            "`class_names` must be a list of strings, all different and none "
            "empty or of several lines, in the order of the classifier's "
            f"outputs. Received: class_names={class_names!r}"
        )


def checked_image_size(classifier, image_size):
    """The size to resize to, or `None` where images stay as they are.

    Args:
        classifier: Built Keras model.
        image_size: Should be a pair of ints, or `None`.

    Raises:
        ValueError: If it is no pair, or not the size of the classifier.
    """
    own = classifier.input_shape[1:3]
    if image_size is None:
        return None if None in own else own
    is_pair = isinstance(image_size, (list, tuple)) and len(image_size) == 2
    if not is_pair:
        raise ValueError(
            "`image_size` must be (height, width), or None for the size that "
            f"the classifier has. Received: image_size={image_size!r}"
        )
    for size in image_size:
        check_int(size, "image_size")
    if any(
        size not in (None, given)
        for size, given in zip(own, image_size, strict=True)
    ):
        raise ValueError(
            f"`image_size` must be that of the classifier, {own}, or None. "
            f"Received: image_size={image_size!r}"
        )
    return tuple(image_size)


def check_packages(packages):
    """Refuses what is no list of names of packages."""
    if not isinstance(packages, (list, tuple)):
        raise ValueError(
            "`packages` must be a list of names of packages, such as "
            f'["keras_hub"]. Received: packages={packages!r}'
        )


def checked_probabilities(outputs, class_names, from_logits, classifier):
    """The probabilities that a classifier means by its outputs.

    Args:
        outputs: Array of what it predicts for images of noise.
        class_names: List of strings.
        from_logits: Boolean, or `None` to be found out.
        classifier: The Keras model.

    Returns:
        Float array of shape `(batch, num_classes)`, and whether the outputs
        are logits.

    Raises:
        ValueError: If the outputs are not scores of so many classes.
    """
    if outputs.ndim != 2 or outputs.shape[1] != len(class_names):
        raise ValueError(
            "`class_names` must name each output of the classifier, which "
            "must be one row of scores per image. Received: "
            f"{len(class_names)} names for outputs of shape {outputs.shape}"
        )
    if len(class_names) < 2:
        raise ValueError(
            "The classifier must have an output for each of two or more "
            f"classes. Received: {len(class_names)} output"
        )
    activation = getattr(classifier.layers[-1], "activation", None)
    are_probabilities = gives_probabilities(outputs)
    if from_logits not in (None, True, False):
        raise ValueError(
            "`from_logits` must be True, False, or None to be found out. "
            f"Received: from_logits={from_logits!r}"
        )
    if from_logits is None:
        from_logits = not are_probabilities
        if from_logits and activation is keras.activations.sigmoid:
            raise ValueError(
                "The outputs of a classifier must be the logits or the "
                "probabilities of classes of which one is true; end it with "
                "a softmax. Received: activation='sigmoid'"
            )
    if not from_logits and not are_probabilities:
        raise ValueError(
            "`from_logits=False` needs outputs that are probabilities. "
            f"Received: rows that sum to {outputs.sum(axis=-1)}"
        )
    probabilities = class_probabilities(outputs, from_logits)
    return keras.ops.convert_to_numpy(probabilities), from_logits


def check_same(copy, found, expected):
    """Refuses a copy that predicts otherwise than its original.

    Args:
        copy: The Keras model.
        found: Array of its probabilities for images of noise.
        expected: Array of those of the original.

    Raises:
        ValueError: If they differ.
    """
    dtypes = {layer.compute_dtype for layer in flatten_layers(copy)}
    tolerance = max(_TOLERANCE.get(dtype, 1e-4) for dtype in dtypes)
    difference = np.abs(found - expected).max()
    if not difference <= tolerance:
        raise ValueError(
            "Without its layers for training the classifier predicts "
            "otherwise. Look for layers that are random when it predicts. "
            "Received: probabilities "
            f"that differ by up to {difference:.3g}"
        )
