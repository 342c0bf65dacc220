"""What a classifier sees in images, and what it makes of it."""

import keras
import numpy as np

from keras_fewlabels.data.checks.images import check_input_shape
from keras_fewlabels.evaluation.checks import check_scores
from keras_fewlabels.layers.model_graph import graph_of, head_input
from keras_fewlabels.policies.parts.class_probabilities import gives_logits

# How many batches are read and predicted at a time.
_BATCHES_PER_PIECE = 16


def features_and_probabilities(model, pool, batch_size, feature_model=None):
    """Features and class probabilities of all images of a pool.

    Args:
        model: Keras classifier that gives logits or probabilities, of shape
            `(batch, num_classes)`; of a model that trains a `student`, that.
        pool: `ImagePool`.
        batch_size: Int, images that are predicted at a time.
        feature_model: Optional Keras model that gives features, of shape
            `(batch, num_features)`, or maps of them, which are averaged. By
            default they are the input of the last `Dense` layer of `model`.

    Returns:
        Two float32 arrays, of shapes `(num_images, num_features)` and
        `(num_images, num_classes)`.

    Raises:
        ValueError: If a model does not take the images, gives no finite class
            scores, or has no last `Dense` layer and no `feature_model`.
    """
    compiled, model = model, getattr(model, "student", model)
    check_input_shape(model, pool.take([0]), "model")
    if feature_model is None:
        together = with_features(model)
        outputs = _predicted(together, pool, batch_size)
    else:
        check_input_shape(feature_model, pool.take([0]), "feature_model")
        outputs = [
            *_predicted(feature_model, pool, batch_size),
            *_predicted(model, pool, batch_size),
        ]
    features, scores = outputs
    probabilities = as_probabilities(scores, len(pool), compiled)
    return flat_features(features), probabilities


def predicted_probabilities(model, pool, batch_size):
    """Class probabilities alone, for any Keras classifier; as above."""
    compiled, model = model, getattr(model, "student", model)
    check_input_shape(model, pool.take([0]), "model")
    (scores,) = _predicted(model, pool, batch_size)
    return as_probabilities(scores, len(pool), compiled)


def as_probabilities(scores, num_images, model=None):
    """Returns logits or probabilities as float32 probabilities.

    Args:
        scores: Array of shape `(num_images, num_classes)`.
        num_images: Int.
        model: The Keras model that gave the scores, if there is one. Its loss
            tells whether they are logits, see `gives_logits`.

    Raises:
        ValueError: If the scores are not finite, or not what the loss of the
            model expects.
    """
    check_scores(scores, num_images)
    scores = np.asarray(scores, "float32")
    if gives_logits(scores, model):
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def with_features(model):
    """A model that shares its layers, and gives features and scores.

    Args:
        model: Functional or `Sequential` Keras model, which may hold others.

    Returns:
        Keras model with two outputs: the input of the last `Dense` layer, and
        the output of `model`.

    Raises:
        ValueError: If the model has no graph, or no `Dense` layer in it.
    """
    graph, features = graph_of(model), head_input(model)
    if features is None or len(graph.outputs) != 1:
        raise ValueError(
            "The features of a model are the input of its last `Dense` layer, "
            "which is found in functional and `Sequential` models. Pass a "
            "model that gives features as `feature_model`. "
            f"Received: model={model!r}"
        )
    return keras.Model(graph.inputs, [features, *graph.outputs])


def flat_features(features):
    """Features of shape `(num_images, num_features)`; maps are averaged."""
    features = np.asarray(features, "float32")
    if features.ndim < 2 or not np.isfinite(features).all():
        raise ValueError(
            "Features must be finite, with a row per image. "
            f"Received: features of shape {features.shape}"
        )
    if features.ndim == 2:
        return features
    return features.mean(axis=tuple(range(1, features.ndim - 1)))


def _predicted(model, pool, batch_size):
    """What a model gives for a pool: a list of arrays, one per output."""
    pieces = []
    for images in pool.pieces(_BATCHES_PER_PIECE * batch_size):
        found = model.predict(images, batch_size=batch_size, verbose=0)
        pieces.append(found if isinstance(found, (list, tuple)) else [found])
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
