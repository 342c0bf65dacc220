import numpy as np
from keras import ops

from keras_fewlabels.callbacks.backup.global_generators import GlobalGenerators
from keras_fewlabels.callbacks.starting_point import StartingPoint


class TrainingState:
    """All of a model that train steps change, to go back to.

    Beyond weights and optimizer these are the seeds of its layers, what its
    metrics have counted, its compiled train step, and the generators that are
    not of a layer: on torch, dropout without a seed draws from one.

    Args:
        model: A built and compiled Keras model.

    Example:

    >>> from keras_fewlabels.loops.tuning.training_state import TrainingState
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> before = model.get_weights()[0].copy()
    >>> state = TrainingState(model)
    >>> loss = model.train_on_batch(np.ones((2, 4)), np.ones((2, 1)))
    >>> state.restore()
    >>> np.array_equal(model.get_weights()[0], before)
    True
    """

    def __init__(self, model):
        self._model = model
        self._start = StartingPoint(model)
        weights = set(map(id, model.weights))
        seeds = [v for v in model.variables if id(v) not in weights]
        self._variables = [*seeds, *model.metrics_variables]
        self._values = [
            np.array(ops.convert_to_numpy(v)) for v in self._variables
        ]
        self._train_function = model.train_function
        self._generators = GlobalGenerators()

    def restore(self):
        """Gives the model all that it was."""
        # After a step that failed, Keras would later bring its state back.
        if hasattr(self._model, "jax_state_sync"):
            self._model.jax_state_sync()
        self._start.restore()
        # Those that the first step created have no value to go back to.
        self._model.reset_metrics()
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)
        self._model.train_function = self._train_function
        self._generators.restore()
