import math

import keras
from keras import ops

from keras_fewlabels.foundation import (
    build_at_init,
    check_number,
    check_seed,
)
from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class MixUp(keras.layers.Layer):
    """Mixes each image with another one, of which it keeps the larger part.

    The MixUp of MixMatch. `keras.layers.MixUp` gives an image any share of
    itself, draws the same on every replica of a `tf.distribute` strategy, and
    turns uint8 images into floats.

    References:
        - [Berthelot et al., 2019](https://arxiv.org/abs/1905.02249), MixMatch,
          equations 8 to 11.
        - [Devroye, 1986](http://luc.devroye.org/rnbookindex.html), chapter
          IX.4: how to draw from a symmetric beta distribution without
          rejection.

    Args:
        alpha: Float above 0.5. Of draws `s` from the distribution
            `Beta(alpha, alpha)`, the share of each image is `max(s, 1 - s)`.
        seed: Optional int that makes the draws reproducible. The state of the
            generator is saved with the model.

    Call arguments:
        inputs: Dict of `"images"`, of shape `(batch, ...)`, and `"labels"`, a
            float tensor of shape `(batch, num_classes)`.
        training: Boolean. With `False` nothing is mixed. Defaults to `True`.

    Returns:
        A dict of the same shapes and dtypes.

    Example:

    >>> from keras_fewlabels.layers.mix_up import MixUp
    >>> images = np.arange(4.0).reshape(4, 1, 1, 1)
    >>> mixed = MixUp(seed=0)({"images": images, "labels": np.eye(4)})
    >>> shares = keras.ops.convert_to_numpy(mixed["labels"])
    >>> print((shares.diagonal() >= 0.5).all(), shares.sum(axis=1))
    True [1. 1. 1. 1.]
    """

    def __init__(self, alpha=0.75, seed=None, **kwargs):
        # Shares keep their precision under mixed precision.
        super().__init__(autocast=False, **kwargs)
        check_number(alpha, "alpha", "(0.5, inf)")
        check_seed(seed)
        self.alpha = alpha
        self.seed = seed
        self.seed_generator = ReplicaSeedGenerator(seed)
        build_at_init(self)

    def call(self, inputs, training=True):
        if not training:
            return inputs
        num_images = ops.shape(inputs["images"])[0]
        # `keras.random.beta` does not compile with XLA on TensorFlow.
        draws = keras.random.uniform(
            (2, num_images), dtype="float32", seed=self.seed_generator
        )
        radius = ops.sqrt(1 - ops.power(draws[0], 2 / (2 * self.alpha - 1)))
        shares = 0.5 + 0.5 * radius * ops.abs(ops.cos(2 * math.pi * draws[1]))
        others = keras.random.shuffle(
            ops.arange(num_images), seed=self.seed_generator
        )
        return {
            name: _mixed(rows, shares, others) for name, rows in inputs.items()
        }

    def compute_output_spec(self, inputs, training=True):
        return keras.tree.map_structure(
            lambda rows: keras.KerasTensor(rows.shape, rows.dtype), inputs
        )

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seed"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        # Weights saved before this layer was put into the model have no seed.
        if "seed" in store.keys():  # noqa: SIM118
            self.seed_generator.state.assign(store["seed"])

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "seed": self.seed,
        }


def _mixed(rows, shares, others):
    dtype = keras.backend.standardize_dtype(rows.dtype)
    rows = ops.cast(rows, "float32")
    shares = ops.reshape(shares, (-1, *[1] * (len(rows.shape) - 1)))
    mixed = shares * rows + (1 - shares) * ops.take(rows, others, axis=0)
    if "int" in dtype:
        mixed = ops.round(mixed)
    return ops.cast(mixed, dtype)
