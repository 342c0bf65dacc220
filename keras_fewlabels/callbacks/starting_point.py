"""The state of a model before a training that is undone later."""

import numpy as np
from keras import ops

from keras_fewlabels.callbacks.backup.global_generators import GlobalGenerators
from keras_fewlabels.callbacks.stage_learning_rate import stage_rate


def check_built(model):
    """Checks that a model has its weights, so that they can be restored.

    Raises:
        ValueError: If the model is not built.
    """
    if not model.built:
        raise ValueError(
            "The model must be built before `fit()`, or its weights cannot be "
            "restored. Add a `keras.Input`, or call "
            f"`model.build(input_shape)`. Received: {model.name!r}"
        )


class StartingPoint:
    """Remembers the state of a model, and gives it back.

    Args:
        model: Built and compiled Keras model.
        everything: Boolean. By default, only weights and optimizer go back,
            the learning rate included, which becomes that of the present
            stage of a `StageLearningRate`. With `True`, so does all else that
            train steps change: the seeds of the layers, the counts of the
            metrics, and the global generators of random numbers. (On torch,
            dropout without a seed draws from a global generator.)

    Example:

    >>> from keras_fewlabels.callbacks.starting_point import StartingPoint
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> before = model.get_weights()[0].copy()
    >>> start = StartingPoint(model)
    >>> loss = model.train_on_batch(np.ones((2, 4)), np.ones((2, 1)))
    >>> start.restore()
    >>> np.array_equal(model.get_weights()[0], before)
    True

    Raises:
        ValueError: If the model is not built.
    """

    def __init__(self, model, everything=False):
        check_built(model)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._model = model
        self._generators = GlobalGenerators() if everything else None
        variables = [*model.weights, *model.optimizer.variables]
        if everything:
            weights = set(map(id, model.weights))
            variables += [v for v in model.variables if id(v) not in weights]
            variables += model.metrics_variables
        self._variables = variables
        # Copied: on torch, an array would go on changing with its variable.
        self._values = [np.array(ops.convert_to_numpy(v)) for v in variables]

    def restore(self):
        """Gives all variables, and perhaps the generators, their old state."""
        # After a step that failed, Keras would later bring its state back.
        if hasattr(self._model, "jax_state_sync"):
            self._model.jax_state_sync()
        if self._generators is not None:
            # Metrics that the first step created have no value to go back to.
            self._model.reset_metrics()
            self._generators.restore()
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)
        rate = stage_rate(self._model.optimizer)
        if rate is not None:
            self._model.optimizer.learning_rate = rate
