import keras
from keras import ops

from keras_fewlabels.data.batches.full_batches import FullBatches


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FitProgress(keras.layers.Layer):
    """Counts the steps of a fit, in a tensor that a train step can use.

    The count is saved and restored with the model, so a fit that is resumed
    goes on where it was.

    Example:

    >>> from keras_fewlabels.models.student.fit_progress import FitProgress
    >>> progress = FitProgress()
    >>> progress.start(num_steps=4)
    >>> [float(progress.advance()) for _ in range(3)]
    [0.0, 0.25, 0.5]
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(trainable=False, **kwargs)
        self.step, self.num_steps = (
            self.add_weight(
                shape=(),
                initializer=start,
                dtype="int32",
                trainable=False,
                aggregation="only_first_replica",
                name=name,
            )
            for name, start in (("step", "zeros"), ("num_steps", "ones"))
        )
        self.built = True

    def start(self, num_steps, step=0):
        """Begins a fit of `num_steps` steps, of which `step` are done."""
        # `epochs=10**9` means "until a callback stops it", and exceeds int32.
        self.num_steps.assign(min(num_steps, 2**31 - 1))
        self.step.assign(step)

    def advance(self):
        """Counts a step, and returns the share of steps done before it.

        Returns:
            Float32 scalar tensor in `[0, 1]`.
        """
        step, num_steps = (
            ops.cast(count, "float32") for count in (self.step, self.num_steps)
        )
        self.step.assign_add(1)
        return ops.minimum(step / num_steps, 1.0)

    def get_config(self):
        config = super().get_config()
        del config["trainable"]
        return config


def count_steps(data, steps_per_epoch, needed):
    """Returns the number of steps per epoch.

    Args:
        data: What `fit()` received as `x`.
        steps_per_epoch: What `fit()` received.
        needed: Boolean, whether the method changes in the course of a fit.

    Returns:
        Int; 1 if the number is neither known nor needed.

    Raises:
        ValueError: If the number is needed and not known, or some images
            would never come.
    """
    if steps_per_epoch is not None:
        _check_part(data, steps_per_epoch)
        return steps_per_epoch
    try:
        return len(data)
    except TypeError:
        if not needed:
            return 1
        raise ValueError(
            "The weight of the unlabelled loss changes in the course of the "
            "fit, so the number of steps must be known. Pass "
            "`fit(steps_per_epoch=...)`. "
            f"Received: {type(data).__name__} of unknown length"
        ) from None


def _check_part(data, steps_per_epoch):
    """Checks that an epoch is no part of batches that begin anew in each."""
    if (
        isinstance(data, FullBatches)
        and not data.shuffle
        and steps_per_epoch < len(data)
    ):
        raise ValueError(
            "Each epoch begins with the first images, so those of the batches "
            "after `steps_per_epoch` would never come. Mix with "
            "`shuffle=True`, or fit without `steps_per_epoch`. Received: "
            f"steps_per_epoch={steps_per_epoch} of {len(data)} batches"
        )
