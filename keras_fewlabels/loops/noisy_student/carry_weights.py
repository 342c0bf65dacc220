"""Weights from one model to another of the same layers."""

from keras_fewlabels.models.copy_weights import (
    copy_weights,
    finalize_normalization,
)


def carry_weights(source, target):
    """Gives a model the weights of another.

    Args:
        source: Built Keras model.
        target: Built Keras model with the same weights, whose layers may
            come in another order, as in one with stochastic depth added.

    Raises:
        ValueError: If the weights cannot be told apart by their paths.
    """
    if _shapes(source) == _shapes(target) and not _is_reordered(source, target):
        copy_weights(source, target)
        return
    values = {weight.path: weight for weight in source.weights}
    if len(values) != len(source.weights) or set(values) != {
        weight.path for weight in target.weights
    }:
        raise ValueError(
            "The layers of the student need names of their own, so that their "
            "weights can be found after stochastic depth was added. "
            f"Received: model={target.name!r}"
        )
    for weight in target.weights:
        weight.assign(values[weight.path])
    finalize_normalization(target)


def have_same_weights(model, other):
    """Whether two models have weights of the same shapes, in their order."""
    return _shapes(model) == _shapes(other)


def _shapes(model):
    return [tuple(weight.shape) for weight in model.weights]


def _is_reordered(source, target):
    names = [
        [weight.path.split("/")[-2:] for weight in model.weights]
        for model in (source, target)
    ]
    return sorted(names[0]) == sorted(names[1]) and names[0] != names[1]
