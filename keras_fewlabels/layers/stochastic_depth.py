import keras
from keras import ops

from keras_fewlabels.foundation import (
    build_at_init,
    check_bool,
    check_choice,
    check_fraction,
    check_seed,
)
from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class StochasticDepth(keras.layers.Layer):
    """Drops residual branches at random during training.

    A deep residual network trained this way behaves as an ensemble of
    shallower networks, which helps most with few labels. Put the layer where
    the branch joins its shortcut. `keras.layers.Dropout` zeroes single
    activations instead, and `keras_cv.layers.StochasticDepth` drops a branch
    for the whole batch only.

    Reference:
        - [Huang et al., 2016](https://arxiv.org/abs/1603.09382) drop a branch
          for the whole batch and scale it in inference, which is
          `per_sample=False, scale="inference"` here. By default each sample
          draws for itself and kept branches are scaled in training, so that a
          trained model predicts as it would without the layer.

    Args:
        rate: Float in `[0, 1)`, the probability of dropping a branch.
        per_sample: Boolean. If `True`, each sample of the batch draws for
            itself; otherwise one draw decides for the whole batch.
        scale: `"training"` divides the kept branches by `1 - rate` in
            training; `"inference"` multiplies the branch by `1 - rate` in
            inference. With either, training and inference have the same mean.
        seed: Optional int that makes the draws reproducible. The state of the
            generator is saved with the model, and the replicas of a
            `tf.distribute` strategy draw different numbers.

    Call arguments:
        inputs: The branch, a float tensor of shape `(batch, ...)`, or the
            pair `[shortcut, branch]` of equal shapes.
        training: Boolean. Nothing is dropped unless it is `True`.

    Returns:
        The branch after the draw, or `shortcut + branch` for a pair, of the
        shape and dtype of the branch.

    Raises:
        ValueError: If `rate` is outside `[0, 1)`, `scale` is unknown, or the
            inputs are neither a float tensor nor a pair of equal shapes.

    Example:

    >>> layer = keras_fewlabels.layers.StochasticDepth(rate=0.75, seed=0)
    >>> np.unique(layer(np.ones((64, 3)), training=True))
    array([0., 4.], dtype=float32)
    """

    def __init__(
        self, rate=0.2, per_sample=True, scale="training", seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        check_fraction(
            rate, "rate", hint="It is the probability of dropping the branch"
        )
        check_choice(scale, "scale", ("training", "inference"))
        check_bool(per_sample, "per_sample")
        check_seed(seed)
        self.rate = rate
        self.per_sample = per_sample
        self.scale = scale
        self.seed = seed
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, training=False):
        if not isinstance(inputs, (list, tuple)):
            return self._drop(inputs, training)
        self.compute_output_shape([tuple(part.shape) for part in inputs])
        shortcut, branch = inputs
        return ops.cast(shortcut, branch.dtype) + self._drop(branch, training)

    def _drop(self, branch, training):
        dtype = keras.backend.standardize_dtype(branch.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                "StochasticDepth scales the branch, so it needs a branch of "
                "floats. Cast it with `keras.ops.cast(branch, 'float32')`. "
                f"Received: dtype={dtype}"
            )
        keep_rate = 1 - self.rate
        if self.rate == 0 or (not training and self.scale == "training"):
            return branch
        if not training:
            return branch * keep_rate
        num_draws = ops.shape(branch)[0] if self.per_sample else 1
        shape = (num_draws,) + (1,) * (len(branch.shape) - 1)
        # In half precision a uniform draw is too coarse for small rates.
        draws = keras.random.uniform(
            shape, dtype="float32", seed=self.seed_generator
        )
        factor = ops.cast(draws >= self.rate, "float32")
        if self.scale == "training":
            factor = factor / keep_rate
        return branch * ops.cast(factor, branch.dtype)

    def compute_mask(self, inputs, previous_mask):
        if isinstance(previous_mask, (list, tuple)):
            return previous_mask[-1]
        return previous_mask

    def compute_output_shape(self, input_shape):
        if not input_shape or not isinstance(input_shape[0], (list, tuple)):
            return input_shape
        shapes = [tuple(shape) for shape in input_shape]
        if len(shapes) != 2 or not _may_be_equal(*shapes):
            raise ValueError(
                "StochasticDepth takes one branch or the pair "
                "`[shortcut, branch]` of equal shapes; bring the shortcut to "
                "the branch's shape first, for example by a 1x1 convolution. "
                f"Received: shapes={shapes}"
            )
        return shapes[1]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seed_generator_state"] = self.seed_generator.state

    def load_own_variables(self, store):
        # Weights saved before this layer was put into the model have no state.
        if "seed_generator_state" in store.keys():  # noqa: SIM118
            self.seed_generator.state.assign(store["seed_generator_state"])

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "per_sample": self.per_sample,
            "scale": self.scale,
            "seed": self.seed,
        }


def _may_be_equal(first, second):
    """Returns whether two static shapes agree wherever both are known."""
    return len(first) == len(second) and all(
        None in pair or pair[0] == pair[1]
        for pair in zip(first, second, strict=True)
    )
