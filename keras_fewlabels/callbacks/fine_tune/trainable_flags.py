import keras

from keras_fewlabels.foundation import (
    flatten_layers,
    own_trainable_variables,
    save_as_it_is,
    save_with,
)


class TrainableFlags:
    """Remembers which parts of a layer train, and sets them stage by stage.

    A model that is saved in between has the remembered flags, not those of
    the stage, so that they can be told apart after it is loaded.

    Parts that were frozen inside a trainable layer stay frozen, single
    variables included. Where the layer as a whole was frozen, as tutorials do
    at the beginning, the flags of its parts are ignored.

    Args:
        layer: Keras layer or model.
    """

    def __init__(self, layer):
        parts = flatten_layers(layer)
        self._layers = [(part, part.trainable) for part in parts]
        self._variables = [
            (variable, variable.trainable) for variable in layer.variables
        ]
        self._frozen = set()
        self._is_wholly_frozen = not layer.trainable
        if layer.trainable:
            flags = [*self._layers, *self._variables]
            self._frozen = {id(owner) for owner, flag in flags if not flag}

    def apply(self, chosen, freeze_batch_norm):
        """Lets only the chosen layers train, and all layers inside of them.

        Args:
            chosen: List of layers out of the remembered ones.
            freeze_batch_norm: Boolean. If `True`, batch normalization does
                not train even inside a chosen layer.
        """
        chosen = {
            id(part) for layer in chosen for part in flatten_layers(layer)
        }
        chosen -= self._frozen
        if freeze_batch_norm:
            chosen -= {
                id(layer)
                for layer, _ in self._layers
                if isinstance(layer, keras.layers.BatchNormalization)
            }
        # A layer sets the flags of all layers inside, so outer layers go first.
        for layer, trainable in self._layers:
            save_with(layer, trainable=trainable or self._is_wholly_frozen)
            layer.trainable = any(
                id(part) in chosen for part in flatten_layers(layer)
            )
        for layer, _ in self._layers:
            for variable in own_trainable_variables(layer):
                variable.trainable = (
                    id(layer) in chosen and id(variable) not in self._frozen
                )

    def restore(self):
        """Sets every flag to its remembered value."""
        for layer, _ in self._layers:
            save_as_it_is(layer, "trainable")
        for owner, trainable in [*self._layers, *self._variables]:
            owner.trainable = trainable

    def variables_to_save(self):
        """Returns the variables that train where a saved model is loaded."""
        if not self._is_wholly_frozen:
            return [v for v, trainable in self._variables if trainable]
        return [
            variable
            for layer, _ in self._layers
            for variable in own_trainable_variables(layer)
        ]

    def num_layers(self):
        """Returns how many layers with weights train, and how many exist."""
        weights = [own_trainable_variables(layer) for layer, _ in self._layers]
        weights = [own for own in weights if own]
        training = [
            own for own in weights if any(weight.trainable for weight in own)
        ]
        return len(training), len(weights)
