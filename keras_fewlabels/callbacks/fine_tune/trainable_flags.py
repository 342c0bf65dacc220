import keras


class TrainableFlags:
    """Remembers which parts of a layer train, and sets them stage by stage.

    What was frozen inside a trainable layer was frozen on purpose and stays
    so, single variables included. Where the layer as a whole was frozen, as
    the tutorials begin, that carries no such wish.

    Args:
        layer: The layer whose flags are remembered as they are now.
    """

    def __init__(self, layer):
        self._layers = [(part, part.trainable) for part in _parts(layer)]
        self._variables = [
            (variable, variable.trainable) for variable in layer.variables
        ]
        keep = layer.trainable
        self._frozen_layers = _ids_of_false(self._layers) if keep else set()
        self._frozen_variables = (
            _ids_of_false(self._variables) if keep else set()
        )

    def apply(self, chosen, freeze_batch_norm):
        """Lets the chosen layers train, with all inside of them, only these."""
        chosen = {id(part) for layer in chosen for part in _parts(layer)}
        chosen -= self._frozen_layers
        if freeze_batch_norm:
            chosen -= {
                id(layer)
                for layer, _ in self._layers
                if isinstance(layer, keras.layers.BatchNormalization)
            }
        # A layer sets the flags of all inside of it, so the outer go first.
        for layer, _ in self._layers:
            layer.trainable = any(id(part) in chosen for part in _parts(layer))
        for layer, _ in self._layers:
            for variable in layer._trainable_variables:
                variable.trainable = (
                    id(layer) in chosen
                    and id(variable) not in self._frozen_variables
                )

    def restore(self):
        """Sets every flag to what it was."""
        for layer, trainable in self._layers:
            layer.trainable = trainable
        for variable, trainable in self._variables:
            variable.trainable = trainable

    def num_layers(self):
        """How many layers with weights train now, and how many there are."""
        weights = [
            layer._trainable_variables
            for layer, _ in self._layers
            if layer._trainable_variables
        ]
        training = [
            own for own in weights if any(weight.trainable for weight in own)
        ]
        return len(training), len(weights)


def _parts(layer):
    return layer._flatten_layers()


def _ids_of_false(flags):
    return {id(owner) for owner, flag in flags if not flag}
