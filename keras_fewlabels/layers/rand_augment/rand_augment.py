import itertools

import keras
import numpy as np
from keras import ops

from keras_fewlabels.layers.rand_augment.apply import apply_draws
from keras_fewlabels.layers.rand_augment.checks import (
    check_arguments,
    check_images,
    check_keys,
    check_values,
)
from keras_fewlabels.layers.rand_augment.draws import RandAugmentDraws
from keras_fewlabels.layers.rand_augment.in_dataset import (
    DatasetSeedGenerator,
    call_on_host,
    in_dataset,
    in_foreign_dataset,
)
from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT, TABLES
from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class RandAugment(keras.layers.Layer):
    """Applies to each image a few ops drawn at random, all equally strong.

    One number, the magnitude, sets how far images are changed, and is all
    there is to tune. It is the noise of Noisy Student and the strong view of
    FixMatch and its kin. Put the layer first in a model, or map it over a
    `tf.data.Dataset`.

    Every image draws for itself: `num_ops` ops with replacement, and for the
    ops that have two sides a sign. Images are worked on as 256 levels, so that
    results are those of Pillow bit for bit; images of floats are rounded to
    the nearest level of `value_range`, unless every op drawn for them is the
    identity. Values outside of `value_range` are cut off.

    | op | at magnitude 10 | |
    |---|---|---|
    | `identity`, `autocontrast`, `equalize` | | |
    | `rotate` | 30 degrees | either way |
    | `shear_x`, `shear_y` | 0.3 pixels per row or column | either way |
    | `translate_x`, `translate_y` | 0.45 of the width or height | either way |
    | `solarize` | levels from 0 on are inverted; 256 at 0 | |
    | `posterize` | 4 bits are kept; 8 at 0 | |
    | `color`, `contrast`, `brightness`, `sharpness` | factor 1.9 | or 0.1 |
    | `invert` | | option |
    | `solarize_add` | 110 on top of levels below 128 | option |
    | `cutout` | a square of 0.36 of the shorter side | option |

    In a pipeline the layer takes batches or single images; batches are
    faster. `dataset.map(layer, num_parallel_calls=2)` never repeats a draw,
    but which batch gets which is a matter of timing. Number the batches
    yourself to have the same stream again:

    ```python
    numbers = tf.data.Dataset.random(seed=1, rerandomize_each_iteration=True)
    dataset = tf.data.Dataset.zip(dataset, numbers).map(
        lambda images, number: layer(images, index=number),
        num_parallel_calls=2,
    )
    ```

    Reference:
        - [Cubuk et al., 2019](https://arxiv.org/abs/1909.13719), whose ops
          and ranges these are; here each op with two sides takes either.
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252), whose code
          `table="noisy_student"` follows, and whose options are the last
          three ops.
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685), whose
          appendix `table="fixmatch"` follows.
        - `keras.layers.RandAugment` draws its ops once for the whole batch,
          and takes a range instead of a magnitude.

    Args:
        num_ops: Integer, how many ops each image draws.
        magnitude: Float, the strength of the ops. 10 is the full range of the
            table; beyond it strengths grow in proportion, up to what an op
            can do.
        value_range: Pair of floats, the values of black and white.
        ops: Sequence of names out of `RandAugment.OPS`, and of layers of
            Keras or keras-cv, which see floats in `value_range`, keep their
            shape, and have a strength and a seed of their own. What is given
            twice is drawn twice as often. Defaults to the 14 ops of the paper.
        interpolation: `"bilinear"` or `"nearest"`, how `rotate`, `shear_*`
            and `translate_*` read between pixels.
        fill_value: Float in `value_range`, for pixels that come from outside
            the image and for `cutout`. Defaults to mid grey, level 128.
        seed: Optional int that makes the draws reproducible. The same seed
            gives the same draws and images on every backend.
        table: Name of the ranges: `"randaugment"` as above;
            `"noisy_student"`, where factors grow from 0.1 to 1.9, posterize
            keeps 0 to 4 bits, solarize inverts from 0 to 256 on, and all ops
            but identity are drawn; `"fixmatch"`, where each draw has a
            magnitude of its own between 0 and `magnitude`, shifts go to 0.3
            and cutouts to 0.5 of the side, and factors fall from 0.95 to
            0.05; or `"cifar10_tutorial"`, where each draw has a whole
            magnitude of its own in 0 to `magnitude - 1`.
        magnitude_std: Float, the standard deviation of a normal magnitude
            that each op draws anew, in tenths and from 0 on; without effect
            for the last two tables.
        apply_probability: Float, the share of the drawn ops that is applied.

    Call arguments:
        images: A uint8 or float tensor of shape
            `(batch, height, width, channels)` or `(height, width, channels)`
            with 1 or 3 channels. Height and width may be unknown. Or a dict
            with such `"images"`, whose other entries pass through.
        training: Boolean. With `False` images pass through. Defaults to
            `True`, as in the preprocessing layers of Keras; inside a model
            `fit` sets it to `True`, `evaluate` and `predict` to `False`.
        index: Optional integer tensor that numbers the call. The draws then
            depend on it and on `seed` alone, instead of on how many calls
            there have been.

    Returns:
        A tensor of the shape, dtype and value range of `images`.

    Raises:
        ValueError: If an argument is out of range, if images have another
            rank, dtype or number of channels, or, for NumPy arrays, if a
            value is not finite or not in `value_range`.

    Example:

    >>> layer = keras_fewlabels.layers.RandAugment(
    ...     num_ops=1, magnitude=5, ops=["brightness"], seed=0
    ... )
    >>> images = np.full((100, 8, 8, 3), 100, dtype="uint8")
    >>> np.unique(keras.ops.convert_to_numpy(layer(images)))
    array([ 55, 145], dtype=uint8)
    """

    OPS = tuple(RANDAUGMENT)

    def __init__(
        self,
        num_ops=2,
        magnitude=10,
        value_range=(0, 255),
        ops=None,
        interpolation="bilinear",
        fill_value=None,
        seed=None,
        table="randaugment",
        magnitude_std=0.0,
        apply_probability=1.0,
        **kwargs,
    ):
        # Images keep their dtype under mixed precision.
        super().__init__(autocast=False, **kwargs)
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.value_range = value_range
        self.ops = ops
        self.interpolation = interpolation
        self.fill_value = fill_value
        self.seed = seed
        self.table = table
        self.magnitude_std = magnitude_std
        self.apply_probability = apply_probability
        check_arguments(self)
        self.value_range = tuple(value_range)
        self.ops = tuple(TABLES[table].ops if ops is None else ops)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self._dataset_seeds = None
        self._host_numbers = None
        self._draws = RandAugmentDraws(self)

    def build(self, input_shape):
        # One image builds the layers among the ops as a batch does.
        input_shape = (None, *tuple(input_shape)[-3:])
        for op in self.ops:
            if isinstance(op, keras.layers.Layer) and not op.built:
                op.build(input_shape)

    def __call__(self, images, *args, **kwargs):
        if isinstance(images, dict):
            check_keys(images)
            output = self(images["images"], *args, **kwargs)
            return {**images, "images": output}
        # Only here an array is still an array, which can be looked at.
        if isinstance(images, np.ndarray):
            check_values(images, self.value_range)
        check_images(images, self.value_range)
        if in_foreign_dataset(images):
            if self._host_numbers is None:
                state = ops.convert_to_numpy(self.seed_generator.state)
                self._host_numbers = itertools.count(int(state[1]))
            return call_on_host(
                self, images, self._host_numbers, *args, **kwargs
            )
        return super().__call__(images, *args, **kwargs)

    def call(self, images, training=True, index=None):
        if not training or self.num_ops == 0:
            return images
        batch = images if len(images.shape) == 4 else images[None]
        draws = self._draws(self._next_seed(index), ops.shape(batch)[0])
        output = apply_draws(self, batch, draws)
        return output if len(images.shape) == 4 else output[0]

    def _next_seed(self, index):
        if index is not None:
            if isinstance(index, int | np.integer):
                index = np.int64(index).astype("int32")
            seed = ops.cast(self.seed_generator.state.value[0], "int32")
            return ops.stack([seed, ops.cast(index, "int32")])
        if keras.backend.backend() == "tensorflow" and in_dataset():
            if self._dataset_seeds is None:
                self._dataset_seeds = DatasetSeedGenerator(self.seed_generator)
            return self._dataset_seeds.next()
        return self.seed_generator.next()

    def save_own_variables(self, store):
        """Stores how far the stream of draws has come."""
        super().save_own_variables(store)
        store["seed"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        """Restores the place in the stream of draws."""
        self.seed_generator.state.assign(store["seed"])

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, images, training=True, index=None):
        return keras.KerasTensor(images.shape, dtype=images.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_ops": self.num_ops,
            "magnitude": self.magnitude,
            "value_range": self.value_range,
            "ops": keras.saving.serialize_keras_object(list(self.ops)),
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
            "seed": self.seed,
            "table": self.table,
            "magnitude_std": self.magnitude_std,
            "apply_probability": self.apply_probability,
        }

    @classmethod
    def from_config(cls, config):
        ops = keras.saving.deserialize_keras_object(config["ops"])
        return cls(**{**config, "ops": ops})
