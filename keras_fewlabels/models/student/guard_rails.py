import math
import warnings

import keras
import numpy as np
from keras import ops

# Below this mask ratio, the unlabelled images practically do not count.
_MIN_MASK_RATIO = 0.01
# Below this mask ratio, too few images count to judge their classes.
_MIN_MASK_RATIO_TO_JUDGE_CLASSES = 0.5
# Below this share of the entropy of the labels, classes are being lost.
_MIN_SHARE_OF_ENTROPY = 0.75


class GuardRails(keras.callbacks.Callback):
    """Detects when training on pseudo-labels goes wrong.

    `NoisyStudentModel.fit()` adds it. It stops a fit when the loss becomes NaN
    or infinite. It warns, once per fit, when pseudo-labels collapse, which the
    loss does not show. There are two ways to collapse: practically no image
    counts; or most images count, but a few classes take over, so that the
    entropy of the pseudo-labels falls below three quarters of that of the
    labels.

    Raises:
        FloatingPointError: At the end of the first batch whose loss is NaN or
            infinite.

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
        self._has_warned = False

    def on_train_begin(self, logs=None):
        self._first_epoch = None
        self._has_warned = False

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
            f"{self._epoch} (both counted from 0). Usual causes: a learning "
            "rate that is too high, labels outside the classes, broken images "
            "in that batch, or half precision without loss scaling. "
            f"Received: {parts}"
        )

    def on_test_begin(self, logs=None):
        # Validation resets the metrics before the epoch ends.
        self._read_histograms()

    def on_epoch_end(self, epoch, logs=None):
        if self._has_warned or not logs or "mask_ratio" not in logs:
            return
        self._read_histograms()
        collapse = self._collapse(logs["mask_ratio"])
        if collapse is not None:
            warnings.warn(
                f"{collapse} (epoch {epoch}, counted from 0).", stacklevel=2
            )
            self._has_warned = True

    def _collapse(self, mask_ratio):
        """Returns the description of a collapse, or `None`."""
        if mask_ratio < _MIN_MASK_RATIO:
            # In its first epoch a model is rarely confident.
            if self._epoch == self._first_epoch:
                return None
            return (
                "The unlabelled images practically do not count: the policy "
                f"keeps {mask_ratio:.1%} of them. Train longer on the labels "
                "first, lower the threshold of the policy, or use a policy "
                "that adapts it, such as `policies.FreeMatchPolicy()`"
            )
        shares, label_shares = (
            histogram / max(histogram.sum(), 1e-9)
            for histogram in self._histograms
        )
        least_entropy = _MIN_SHARE_OF_ENTROPY * _entropy(label_shares)
        if (
            mask_ratio < _MIN_MASK_RATIO_TO_JUDGE_CLASSES
            or _entropy(shares) >= least_entropy
        ):
            return None
        favoured = (shares - label_shares).argmax()
        return (
            f"Class {favoured} is taking over: {shares[favoured]:.0%} of "
            f"the pseudo-labels, but {label_shares[favoured]:.0%} of the "
            "labels. Stop, and try `policies.DistributionAlignment(policy)`, "
            "a higher threshold, a teacher trained longer, or a lower "
            "`unlabeled_weight`"
        )

    def _read_histograms(self):
        # A model that learns from labels alone has no such metrics.
        metrics = getattr(self.model, "pseudo_label_metrics", None)
        if self._histograms is None and metrics is not None:
            self._histograms = [
                ops.convert_to_numpy(metric.histogram)
                for metric in (metrics.class_entropy, metrics.label_entropy)
            ]


def _entropy(shares):
    shares = shares[shares > 0]
    return -np.sum(shares * np.log(shares))
