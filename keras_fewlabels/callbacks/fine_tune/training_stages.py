"""The stages of fine-tuning, and the layers that each of them trains."""

import difflib
import numbers

import keras

from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags
from keras_fewlabels.foundation import flatten_layers


class TrainingStages:
    """Sets which layers of a backbone train from which epoch on.

    Args:
        backbone: Keras layer or model.
        schedule: Dict of the first epoch of a stage, counted from 0, to a
            choice for `select_layers()`.
        freeze_batch_norm: Boolean. If `True`, batch normalization never
            trains.
    """

    def __init__(self, backbone, schedule, freeze_batch_norm):
        self.backbone = backbone
        self.schedule = dict(sorted(schedule.items()))
        self.freeze_batch_norm = freeze_batch_norm
        self._layers = {
            start: select_layers(backbone, choice)
            for start, choice in schedule.items()
        }
        self._flags = TrainableFlags(backbone)
        self._current = None

    def enter(self, epoch):
        """Sets the flags for an epoch.

        Before the first stage, the flags are those of the user.

        Returns:
            Boolean, whether the stage differs from that of the last call.
        """
        start = max((s for s in self.schedule if s <= epoch), default=None)
        is_new = start != self._current
        if is_new:
            self._current = start
            self._apply(start)
        return is_new

    def leave(self):
        """Sets every flag to its value before the first stage."""
        self._current = None
        self._flags.restore()

    def trainable_variables(self, model):
        """Returns the variables of `model` that train now or in any stage.

        Those that train where a model is loaded that was saved in between are
        among them: a loader that needs other variables drops all state.

        Raises:
            ValueError: If nothing in the model trains in one of the stages.
        """
        variables = list(model.trainable_variables)
        variables += self._flags.variables_to_save()
        try:
            for start, choice in self.schedule.items():
                self._apply(start)
                if not model.trainable_variables:
                    raise ValueError(
                        "Nothing in the model trains in one of the stages. "
                        "Add a head to the backbone, or let some of its "
                        "layers train. "
                        f"Received: schedule={{{start}: {choice!r}}}"
                    )
                variables += model.trainable_variables
        finally:
            self._flags.restore()
        return variables

    def num_layers(self):
        """Returns how many layers with weights train, and how many exist."""
        return self._flags.num_layers()

    def _apply(self, start):
        if start is None:
            self._flags.restore()
        else:
            self._flags.apply(self._layers[start], self.freeze_batch_norm)


def select_layers(backbone, choice):
    """Returns the layers of a backbone that one stage trains.

    Args:
        backbone: Keras layer or model.
        choice: An int, the number of `backbone.layers` counted from the top;
            `"all"`; a list of the names of layers at any depth; or a function
            that takes a layer at any depth and returns a boolean. A chosen
            layer trains with all layers inside of it.

    Returns:
        List of layers.

    Raises:
        ValueError: If the backbone has fewer layers than `choice`, or no
            layer of one of the names.
    """
    if choice == "all":
        return [backbone]
    if isinstance(choice, numbers.Integral):
        return _last_layers(choice, backbone)
    inside = flatten_layers(backbone, include_self=False) or [backbone]
    if callable(choice):
        return [layer for layer in inside if choice(layer)]
    return _named_layers(inside, choice, backbone)


def top_layers(backbone):
    """Returns the layers of a backbone, without the layers inside of those."""
    if isinstance(backbone, keras.Model):
        layers = backbone.layers
    else:
        layers = flatten_layers(backbone, include_self=False, recursive=False)
    # A layer without layers inside is its own only layer.
    return layers or [backbone]


def _last_layers(count, backbone):
    layers = top_layers(backbone)
    if count > len(layers):
        raise ValueError(
            f"The schedule asks for {count} layers of the backbone "
            f"{backbone.name!r}, which has {len(layers)}. Give a smaller "
            'count, or "all"; for a backbone inside of another layer, pass '
            f"the inner one. Received: {count}"
        )
    return layers[len(layers) - count :]


def _named_layers(layers, names, backbone):
    known = {layer.name for layer in layers}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known)
            raise ValueError(
                f"The backbone {backbone.name!r} has no layer of this name. "
                f"Similar names: {close}. Received: {name!r}"
            )
    return [layer for layer in layers if layer.name in set(names)]
