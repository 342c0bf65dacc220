from keras_fewlabels.callbacks.fine_tune.select_layers import select_layers
from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags


class TrainingStages:
    """Which layers of a backbone train from which epoch on.

    Args:
        backbone: The layer or model whose layers train or do not.
        schedule: Dict of the first epoch of a stage, counted from 0, to what
            `select_layers()` takes.
        freeze_batch_norm: Boolean, whether batch normalization never trains.
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
        """Sets the flags for an epoch; before the first stage, as they were.

        Returns:
            Whether this is another stage than that of the call before.
        """
        start = max((s for s in self.schedule if s <= epoch), default=None)
        is_new = start != self._current
        if is_new:
            self._current = start
            self._apply(start)
        return is_new

    def leave(self):
        """Sets every flag to what it was before the first stage."""
        self._current = None
        self._flags.restore()

    def trainable_variables(self, model):
        """The variables of `model` that train now or in any stage."""
        variables = list(model.trainable_variables)
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
        """How many layers with weights train now, and how many there are."""
        return self._flags.num_layers()

    def _apply(self, start):
        if start is None:
            self._flags.restore()
        else:
            self._flags.apply(self._layers[start], self.freeze_batch_norm)
