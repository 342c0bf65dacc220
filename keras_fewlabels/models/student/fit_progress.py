import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class FitProgress(keras.layers.Layer):
    """How far a fit has come, as a tensor that a train step can use.

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
        # `epochs=10**9` means "until a callback stops it", and is no int32.
        self.num_steps.assign(min(num_steps, 2**31 - 1))
        self.step.assign(step)

    def advance(self):
        """The share of steps that are done, in `[0, 1]`; counts one more."""
        step, num_steps = (
            ops.cast(count, "float32") for count in (self.step, self.num_steps)
        )
        self.step.assign_add(1)
        return ops.minimum(step / num_steps, 1.0)

    def get_config(self):
        config = super().get_config()
        del config["trainable"]
        return config
