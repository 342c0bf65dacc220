from keras import ops

from keras_fewlabels.data.batches.unknown_labels import (
    are_known,
    likelier_answers,
)
from keras_fewlabels.foundation import when_fit_ends

# The logit of a probability of 1, as far as the losses of Keras tell.
_SURE_LOGIT = 16.0


class LossOfKnown:
    """Lets unknown labels count nothing, for the length of a fit.

    A loss of Keras takes a weight for each image, but none for each of its
    labels. So the model computes its compiled loss of rows in which every
    unknown label is true and predicted as true: that costs nothing, and has no
    gradient. Metrics compare the predictions with the likelier answers. The
    model has its own methods again when the fit ends, also by an error.

    Args:
        model: Compiled Keras model with a sigmoid for each of several labels.
            It is trained on rows of `mark_unknown`.
        from_logits: Boolean, whether it gives logits.

    Attributes:
        is_used: Boolean, whether a train step has computed its loss in this
            way.
    """

    def __init__(self, model, from_logits):
        self._model = model
        self._compute_loss = model.compute_loss
        self._compute_metrics = model.compute_metrics
        self._sure = _SURE_LOGIT if from_logits else 1.0
        self.is_used = False
        when_fit_ends(self.restore)
        model.compute_loss = self.compute_loss
        model.compute_metrics = self.compute_metrics
        # A traced step contains the loss.
        model.make_train_function(force=True)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, **options
    ):
        """Computes the loss in place of the method of the model."""
        # An evaluation in between asks for the loss as well.
        self.is_used = self.is_used or options.get("training", True)
        known = are_known(y)
        return self._compute_loss(
            x,
            ops.where(known, y, ops.ones_like(y)),
            ops.where(known, y_pred, ops.full_like(y_pred, self._sure)),
            sample_weight,
            **options,
        )

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Computes the metrics in place of the method of the model."""
        return self._compute_metrics(
            x, likelier_answers(y), y_pred, sample_weight
        )

    def check_used(self):
        """Checks that the train step computes its loss in this way.

        Raises:
            ValueError: If it does not, so that it learned unknown labels.
        """
        if not self.is_used:
            raise ValueError(
                "Labels that are not sure must not count, but the train step "
                "of the model has a loss of its own. Let it call "
                "`self.compute_loss(x, y, y_pred, sample_weight)`. "
                f"Received: model={self._model.name!r}"
            )

    def restore(self):
        """Gives the model its own methods back."""
        own = vars(self._model)
        if "compute_loss" in own:
            del own["compute_loss"], own["compute_metrics"]
            self._model.make_train_function(force=True)
