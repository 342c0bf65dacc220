"""Features and class probabilities that a classifier has for images."""

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.checks import check_input_shape
from keras_fewlabels.evaluation.checks import check_scores
from keras_fewlabels.foundation import (
    check_called,
    check_one_output,
    check_scores_shape,
    graph_of,
    head_input,
    predict_array,
)
from keras_fewlabels.policies.parts import check_one_true, scores_of


def features_and_probabilities(
    model,
    source,
    batch_size,
    feature_model=None,
    progress=None,
    several=False,
):
    """Computes features and class probabilities of all images of a source.

    Args:
        model: Keras classifier that returns logits or probabilities, of shape
            `(batch, num_classes)`, or `(batch, 1)` of one sigmoid unit; or a
            model that trains a `student`, which is used instead.
        source: `ImageSource`.
        batch_size: Int, the number of images that are predicted at a time.
        feature_model: Optional Keras model that returns features, of shape
            `(batch, num_features)`, or maps of them, which are averaged. By
            default they are the input of the last `Dense` layer of `model`.
        progress: Optional `PredictionProgress`. There are two passes over the
            images if there is a `feature_model`, and one otherwise.
        several: Boolean, as for `as_probabilities`.

    Returns:
        Two float32 arrays, of shapes `(num_images, num_features)` and
        `(num_images, num_classes)`.

    Raises:
        ValueError: If a model does not take the images, returns no finite
            class scores, or has no last `Dense` layer and there is no
            `feature_model`.
    """
    classifier = getattr(model, "student", model)
    _check_inputs(classifier, source, "model")
    check_one_output(classifier, "model")
    if feature_model is None:
        both = with_features(classifier)
        features, scores = _predict(both, source, batch_size, progress)
    else:
        _check_inputs(feature_model, source, "feature_model")
        features = _predict_one(feature_model, source, batch_size, progress)
        scores = _predict_one(classifier, source, batch_size, progress)
    probabilities = as_probabilities(scores, len(source), model, several)
    return flat_features(features), probabilities


def predicted_probabilities(
    model, source, batch_size, progress=None, several=False
):
    """Computes only the class probabilities, for any Keras classifier."""
    classifier = getattr(model, "student", model)
    _check_inputs(classifier, source, "model")
    check_one_output(classifier, "model")
    scores = _predict_one(classifier, source, batch_size, progress)
    return as_probabilities(scores, len(source), model, several)


def as_probabilities(scores, num_images, model=None, several=False):
    """Returns logits or probabilities as float32 probabilities.

    Args:
        scores: Array of shape `(num_images, num_classes)`; or `(num_images,
            1)`, of one sigmoid unit for two classes.
        num_images: Int.
        model: Optional Keras model that returned them. If it is compiled, its
            loss tells what they are.
        several: Boolean, whether they may be those of labels of which several
            may be true.

    Returns:
        Float32 array of shape `(num_images, num_classes)` with rows that sum
        to 1, or with a probability of its own for each of several labels.

    Raises:
        ValueError: If the scores have another shape, are not finite, or are
            those of several labels without `several`.
    """
    check_scores(scores, num_images)
    scores = np.asarray(scores, "float32")
    kind = scores_of(scores, model)
    if not several:
        check_one_true(kind, "This comparison of images")
    probabilities = ops.convert_to_numpy(kind.probabilities(scores))
    if not kind.one_true:
        return probabilities
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def with_features(model):
    """Returns a model of the same layers that also returns features.

    Args:
        model: Functional or `Sequential` Keras model, which may hold others.

    Returns:
        Keras model with two outputs: the input of the last `Dense` layer, and
        the output of `model`.

    Raises:
        ValueError: If the model has no graph, no `Dense` layer in it, or
            preprocesses images outside of its layers.
    """
    check_called(model, "model")
    graph, features = graph_of(model), head_input(model)
    if features is None or len(graph.outputs) != 1:
        raise ValueError(
            "The features of a model are the input of its last `Dense` layer, "
            "which is found in functional and `Sequential` models. Pass a "
            "model that returns features as `feature_model`. "
            f"Received: model={model!r}"
        )
    return keras.Model(graph.inputs, [features, *graph.outputs])


def flat_features(features):
    """Returns float32 features `(num_images, num_features)`, maps averaged.

    Args:
        features: Array of shape `(num_images, ..., num_features)`.

    Raises:
        ValueError: If the features have another shape or are not finite.
    """
    features = np.asarray(features, "float32")
    if features.ndim < 2 or not np.isfinite(features).all():
        raise ValueError(
            "Features must be finite, with a row per image. "
            f"Received: features of shape {features.shape}"
        )
    if features.ndim == 2:
        return features
    return features.mean(axis=tuple(range(1, features.ndim - 1)))


def _check_inputs(model, source, role):
    # The check compares shapes, so no image has to be read.
    check_input_shape(model, np.empty((0, *source.shape)), role)


def _predict_one(model, source, batch_size, progress):
    """Returns the array that a model of one output gives."""
    outputs = _predict(model, source, batch_size, progress)
    if len(outputs) > 1:
        check_scores_shape([np.shape(part) for part in outputs], "model")
    return outputs[0]


def _predict(model, source, batch_size, progress):
    """Returns a list with an array per output of the model."""
    callbacks = [progress] if progress else None
    pieces = []
    for images in source.pieces_to_predict(batch_size):
        outputs = predict_array(model, images, batch_size, callbacks)
        pieces.append(keras.tree.flatten(outputs))
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
