"""A model as it was when the fit began."""

import numpy as np
from keras import ops


class StartingPoint:
    """The weights and optimizer state of a model, to go back to.

    Args:
        model: A built and compiled Keras model.
    """

    def __init__(self, model):
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._variables = [*model.weights, *model.optimizer.variables]
        # Copied: on torch, an array would go on changing with its variable.
        self._values = [
            np.array(ops.convert_to_numpy(v)) for v in self._variables
        ]

    def restore(self):
        """Gives all variables the values they had."""
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)
