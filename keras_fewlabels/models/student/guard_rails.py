import math
import warnings

import keras
from keras import ops

from keras_fewlabels.policies.parts import collapse_of_classes

# Below this mask ratio, the unlabelled images practically do not count.
_MIN_MASK_RATIO = 0.01
# Below this mask ratio, too few images count to judge their classes.
_MIN_MASK_RATIO_TO_JUDGE_CLASSES = 0.5
_USUAL_CAUSES = (
    "Usual causes: a learning rate that is too high, labels outside the "
    "classes, broken images, or half precision without loss scaling."
)


class GuardRails(keras.callbacks.Callback):
    """Detects when training on pseudo-labels goes wrong.

    `NoisyStudentModel.fit()` adds it. It stops a fit when the loss becomes NaN
    or infinite, or a weight does, which an activation can hide from the loss.
    It warns when pseudo-labels collapse, which the loss does not show. There
    are two ways to collapse: practically no image counts; or most images
    count, but a few classes take over. Each of the two is said once per fit.

    Raises:
        FloatingPointError: At the end of the first batch whose loss is NaN or
            infinite, or of the first epoch after which a weight is.

    Example:

    >>> from keras_fewlabels.models.student.guard_rails import GuardRails
    >>> guard = GuardRails()
    >>> guard.on_epoch_begin(2)
    >>> guard.on_train_batch_end(7, {"loss": float("nan")})
    Traceback (most recent call last):
    ...
    FloatingPointError: The loss is NaN or infinite since batch 7 of epoch 2...
    """

    # Lets Keras run the callback while an accelerator computes steps.
    async_safe = True

    def __init__(self):
        super().__init__()
        self._first_epoch = None
        self._epoch = 0
        self._histograms = None
        self._warned_of = set()

    def on_train_begin(self, logs=None):
        self._first_epoch = None
        self._warned_of = set()

    def on_epoch_begin(self, epoch, logs=None):
        if self._first_epoch is None:
            self._first_epoch = epoch
        self._epoch = epoch
        self._histograms = None

    def on_train_batch_end(self, batch, logs=None):
        if logs is None or math.isfinite(logs["loss"]):
            return
        parts = ", ".join(
            f"{name}={float(logs[name]):.4g}"
            for name in ("supervised_loss", "unlabeled_loss")
            if name in logs
        )
        raise FloatingPointError(
            f"The loss is NaN or infinite since batch {batch} of epoch "
            f"{self._epoch} (both counted from 0). {_USUAL_CAUSES} "
            f"Received: {parts}"
        )

    def on_test_begin(self, logs=None):
        # Validation resets the metrics before the epoch ends.
        self._read_histograms()

    def on_epoch_end(self, epoch, logs=None):
        self._check_weights()
        if not logs or "mask_ratio" not in logs:
            return
        self._read_histograms()
        for kind, collapse in self._collapses(logs["mask_ratio"]):
            if kind not in self._warned_of:
                self._warned_of.add(kind)
                warnings.warn(
                    f"{collapse} (epoch {epoch}, counted from 0).", stacklevel=2
                )

    def _check_weights(self):
        for variable in self.model.trainable_variables:
            if not ops.all(ops.isfinite(variable)):
                raise FloatingPointError(
                    "A weight is NaN or infinite at the end of epoch "
                    f"{self._epoch} (counted from 0), though the loss is "
                    f"finite. {_USUAL_CAUSES} Received: {variable.path}"
                )

    def _collapses(self, mask_ratio):
        """Returns the descriptions of collapses as pairs `(kind, sentence)`."""
        # In its first epoch a model is rarely confident.
        is_first = self._epoch == self._first_epoch
        one_true = self.model.scores.one_true
        if mask_ratio < _MIN_MASK_RATIO and not is_first:
            hint = ""
            if one_true:
                hint = (
                    ", or use a policy that adapts it, such as "
                    "`policies.FreeMatchPolicy()`"
                )
            yield (
                "unconfident",
                "The unlabelled images practically do not count: the policy "
                f"keeps {mask_ratio:.1%} of them. Train longer on the labels "
                f"first, or lower the threshold of the policy{hint}",
            )
        if mask_ratio < _MIN_MASK_RATIO_TO_JUDGE_CLASSES:
            return
        if not one_true:
            # A no counts as well, so that classes need not be even.
            if not self._histograms[0].any():
                yield (
                    "one-sided",
                    "The pseudo-labels that count say no to every label. "
                    "Train longer on the labels first, or use "
                    "`policies.FixedThreshold(0.0, soft=True)`",
                )
        else:
            collapse = collapse_of_classes(*self._histograms)
            if collapse is not None:
                yield (
                    "one-sided",
                    f"{collapse}. Stop, and try "
                    "`policies.DistributionAlignment(policy)`, a higher "
                    "threshold, a teacher trained longer, or a lower "
                    "`unlabeled_weight`",
                )

    def _read_histograms(self):
        # A model that learns from labels alone has no such metrics.
        metrics = getattr(self.model, "pseudo_label_metrics", None)
        if self._histograms is None and metrics is not None:
            self._histograms = [
                ops.convert_to_numpy(metric.histogram)
                for metric in (metrics.class_entropy, metrics.label_entropy)
            ]
