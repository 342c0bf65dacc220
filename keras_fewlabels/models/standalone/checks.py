"""Checks of the arguments of `standalone`, and of the model that it makes."""

import dataclasses

import keras
import numpy as np

from keras_fewlabels.foundation import (
    BOOL,
    NONE,
    check_argument,
    check_classifier,
    check_int,
    check_names,
    check_type,
    check_value_range,
    flatten_layers,
    graph_of,
    input_shape_of,
    is_graph,
)
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.student.fit_checks import value_ranges_of
from keras_fewlabels.models.student.student_model import StudentModel
from keras_fewlabels.policies.parts import check_class_scores, scores_of

# How much the probabilities of a copy may differ.
_TOLERANCE = {"float16": 1e-2, "bfloat16": 1e-2}


def classifier_in(model):
    """Returns the classifier inside of a model that trains or averages one.

    Args:
        model: Keras model, as the caller passed it.

    Returns:
        A functional model from one tensor of images to one of scores, which
        shares the layers.

    Raises:
        ValueError: If there is no such model, or it is not one classifier of
            images.
    """
    classifier = model
    if isinstance(model, StudentModel):
        classifier = model.debiased_student()
    elif isinstance(model, EMATeacher):
        classifier = model.model
    if not is_graph(classifier) or not classifier.built:
        raise ValueError(
            "`model` must be a functional or `Sequential` model that is built, "
            "or a `NoisyStudentModel` or `EMATeacher` around one; write a "
            "subclassed model as a functional one. "
            f"Received: model={classifier!r}"
        )
    check_classifier(classifier, "classifier")
    shape = input_shape_of(classifier)
    if len(shape) != 4 or shape[-1] is None:
        raise ValueError(
            "The classifier must have one input, images of shape "
            f"(batch, height, width, channels). Received: {shape}"
        )
    # The one input may be in a dict or a list.
    graph = graph_of(classifier)
    return keras.Model(graph.inputs[0], graph.output, name=classifier.name)


def checked_class_names(class_names):
    """Returns class names as a list of different strings of one line each.

    Raises:
        ValueError: If they are anything else. A LiteRT file holds a name per
            line.
    """
    names = check_names(class_names, "class_names")
    if any(
        name.splitlines() != [name] or not _is_encodable(name) for name in names
    ):
        raise ValueError(
            "`class_names` must be a list of strings of one line of Unicode. "
            f"Received: class_names={class_names!r}"
        )
    return names


def _is_encodable(name):
    try:
        return bool(name.encode())
    except UnicodeEncodeError:  # Half of a character, from a damaged name.
        return False


def check_packages(packages):
    """Checks that the names of packages come in a list."""
    expected = 'a list of names of packages, such as ["keras_hub"]'
    check_type(packages, "packages", (list, tuple), expected)


def resolved_value_range(value_range, model):
    """Returns the values of black and white that a classifier takes.

    Args:
        value_range: Pair of numbers, or `None` to read it off the model.
        model: Keras model, as the caller passed it.

    Returns:
        Tuple of two floats.

    Raises:
        ValueError: If it is no pair of numbers, or the model does not tell.
    """
    if value_range is None:
        # `fit()` has checked that the images lie in the range of the noise.
        is_student = isinstance(model, StudentModel)
        ranges = set(value_ranges_of(model)) if is_student else ()
        if len(ranges) != 1:
            raise ValueError(
                "`value_range` must be the values of black and white in the "
                "images that the classifier was trained on, such as (0, 255) "
                "or (0, 1). Only a `NoisyStudentModel` whose noise has a "
                "value range can do without. Received: value_range=None"
            )
        (value_range,) = ranges
    check_value_range(value_range)
    low, high = map(float, value_range)
    return low, high


def resolved_image_size(classifier, image_size):
    """Returns the size to resize to, or `None` where images are not resized.

    Args:
        classifier: Built Keras model.
        image_size: Pair of ints, or `None` for the size of the classifier.

    Raises:
        ValueError: If `image_size` is no pair of ints, or not the size of the
            classifier.
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


def check_outputs(outputs, class_names, scores):
    """Checks that a classifier gives one probability for each class name.

    Args:
        outputs: Array of its predictions for images of noise.
        class_names: List of strings.
        scores: `ClassScores`, the kind of the predictions.

    Raises:
        ValueError: If it does not.
    """
    if scores.num_classes(outputs.shape[1]) != len(class_names):
        raise ValueError(
            "`class_names` must name each output of the classifier, or the "
            "two classes of one sigmoid unit. Received: "
            f"{len(class_names)} names for outputs of shape {outputs.shape}"
        )


def resolved_scores(from_logits, outputs, model):
    """Returns the kind of scores that a classifier gives.

    Args:
        from_logits: Boolean, or `None` for the rule of `scores_of`.
        outputs: Array of shape `(batch, num_outputs)`.
        model: Keras model, as the caller passed it.

    Returns:
        A `ClassScores`.

    Raises:
        ValueError: If the outputs are not probabilities but should be.
    """
    check_argument(from_logits, "from_logits", BOOL, NONE)
    outputs = check_class_scores(outputs, None, "classifier")
    scores = scores_of(outputs, model)
    if from_logits is False and scores.from_logits:
        raise ValueError(
            "`from_logits=False` needs outputs that are probabilities. "
            f"Received: rows that sum to {outputs.sum(axis=-1)}"
        )
    if from_logits is None:
        return scores
    return dataclasses.replace(scores, from_logits=from_logits)


def check_same(copy, probabilities, outputs, scores):
    """Checks that a copy predicts as its original does.

    Args:
        copy: The Keras model.
        probabilities: Array of its probabilities for images of noise.
        outputs: Array of the predictions of the original for them.
        scores: `ClassScores`, the kind of these predictions.

    Raises:
        ValueError: If the probabilities differ.
    """
    expected = keras.ops.convert_to_numpy(scores.probabilities(outputs))
    dtypes = {layer.compute_dtype for layer in flatten_layers(copy)}
    tolerance = max(_TOLERANCE.get(dtype, 1e-4) for dtype in dtypes)
    difference = np.abs(probabilities - expected).max()
    if not difference <= tolerance:
        raise ValueError(
            "Without its layers for training the classifier predicts "
            "otherwise. Look for layers that are random when it predicts. "
            "Received: probabilities "
            f"that differ by up to {difference:.3g}"
        )
