import itertools
import math

import keras
import numpy as np
from keras import ops

from keras_fewlabels.layers.rand_augment.apply import apply_draws
from keras_fewlabels.layers.rand_augment.checks import (
    check_images,
    check_keys,
    check_layer,
    check_values,
)
from keras_fewlabels.layers.rand_augment.draws import RandAugmentDraws
from keras_fewlabels.layers.rand_augment.first_images import (
    check_first_images,
)
from keras_fewlabels.layers.rand_augment.in_dataset import (
    DatasetSeedGenerator,
    call_on_host,
    in_dataset,
    in_foreign_dataset,
    unconverted,
)
from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT, TABLES
from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class RandAugment(keras.layers.Layer):
    """Applies a few ops, drawn at random for each image, one after the other.

    The magnitude sets how strongly images are changed, and is usually all
    there is to tune. The layer is the noise of Noisy Student and the strong
    view of FixMatch and related methods. Put it first in a model, or map it
    over a `tf.data.Dataset`.

    Every image draws `num_ops` ops with replacement, and a sign for the ops
    that have two directions. By default all draws have the same magnitude.
    With `table="fixmatch"` each draw has a magnitude of its own between 0 and
    `magnitude`, and `magnitude_std` spreads the magnitudes of the other
    tables.

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

    The ops work on the 256 levels of uint8 images, in integers, so that the
    same seed gives the same images on every backend. Ops that change pixel
    values give the results of Pillow bit for bit. Warps differ from Pillow's
    by rounding: bilinear ones by one level in 0.3 to 5 % of the values. Images
    of floats are rounded to the nearest level of `value_range`, unless every
    op drawn for them is the identity. Values outside of `value_range` are
    clipped.

    In a pipeline the layer takes batches or single images; batches are
    faster. `dataset.map(layer, num_parallel_calls=2)` never repeats a draw,
    but the order in which batches get the draws depends on timing. Number the
    batches yourself to repeat the same stream:

    ```python
    numbers = tf.data.Dataset.random(seed=1, rerandomize_each_iteration=True)
    dataset = tf.data.Dataset.zip(dataset, numbers).map(
        lambda images, number: layer(images, index=number),
        num_parallel_calls=2,
    )
    ```

    Reference:
        - [Cubuk et al., 2019](https://arxiv.org/abs/1909.13719): the ops and
          ranges of `table="randaugment"`. Here ops with two directions draw
          either.
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252): the last three
          ops, and `table="noisy_student"`, which follows their code.
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685): the appendix
          has `table="fixmatch"`.
        - `keras.layers.RandAugment` draws its ops once for the whole batch,
          and takes a range instead of a magnitude.

    Args:
        num_ops: Int, the number of ops that each image draws.
        magnitude: Float of at least 0, the strength of the ops. 10 is the
            full range of the table. Beyond it strengths grow in proportion,
            up to the limit of the op.
        value_range: Pair of floats, the values of black and white.
        ops: Sequence of names out of `RandAugment.OPS`, and of layers of
            Keras or keras-cv. Layers get floats in `value_range`, must keep
            the shape, and have a strength and a seed of their own. An op that
            is given twice is drawn twice as often. Defaults to the ops of the
            table: the 14 ops of the paper, or all but identity for
            `"noisy_student"`.
        interpolation: `"bilinear"` or `"nearest"`, how `rotate`, `shear_*`
            and `translate_*` interpolate between pixels.
        fill_value: Float in `value_range`, for pixels that come from outside
            the image and for `cutout`. Defaults to mid grey, level 128.
        seed: Optional int that makes the draws reproducible. The same seed
            gives the same draws and images on every backend.
        table: Name of the ranges. `"randaugment"` has those above. In
            `"noisy_student"` factors grow from 0.1 to 1.9, posterize keeps 0
            to 4 bits, and solarize inverts from 0 to 256 on. In `"fixmatch"`
            each draw has a magnitude of its own between 0 and `magnitude`,
            shifts reach 0.3 and cutouts 0.5 of the side, and factors fall
            from 0.95 to 0.05.
        magnitude_std: Float of at least 0. If it is positive, each op draws a
            normal magnitude with this standard deviation, in tenths and not
            below 0. It has no effect with `table="fixmatch"`.
        apply_probability: Float in `[0, 1]`, the probability with which a
            drawn op is applied.

    Call arguments:
        images: A uint8 or float tensor of shape
            `(batch, height, width, channels)` or `(height, width, channels)`
            with 1 or 3 channels. Height and width may be unknown. Or a dict
            with such `"images"`, whose other entries pass through.
        training: Boolean. With `False` images pass through. Defaults to
            `True`, as in the preprocessing layers of Keras; inside a model
            `fit` sets it to `True`, `evaluate` and `predict` to `False`.
        index: Optional int, or integer tensor, the number of the call. The
            draws then depend on `seed` and `index` alone, instead of on the
            number of calls so far.

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
        *,
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
        check_layer(self)
        self.value_range = tuple(value_range)
        self.ops = tuple(TABLES[table].ops if ops is None else ops)
        self.seed_generator = ReplicaSeedGenerator(seed)
        # Until the first images were looked at; see `check_first_images`.
        self.range_is_known = False
        self.first_number = 0
        self._dataset_seeds = None
        self._host_numbers = None
        self.draw = RandAugmentDraws(self)

    def build(self, input_shape):
        # The layers among the ops always get a batch, also of one image.
        input_shape = (None, *tuple(input_shape)[-3:])
        for op in self.ops:
            if isinstance(op, keras.layers.Layer) and not op.built:
                op.build(input_shape)

    def __call__(self, images, *args, **kwargs):
        if isinstance(images, dict):
            check_keys(images)
            output = self(images["images"], *args, **kwargs)
            return {**images, "images": output}
        # Here an array is not yet a tensor, so its values can be checked.
        if isinstance(images, np.ndarray) and kwargs.get("training", True):
            check_values(images, self.value_range)
        check_images(images, self.value_range)
        if in_foreign_dataset(images):
            if self._host_numbers is None:
                state = ops.convert_to_numpy(self.seed_generator.state)
                self._host_numbers = itertools.count(int(state[1]))
            return call_on_host(
                self, images, self._host_numbers, *args, **kwargs
            )
        return unconverted(super().__call__)(images, *args, **kwargs)

    def call(self, images, training=True, index=None):
        if not training or self.num_ops == 0 or 0 in images.shape:
            return images
        batch = images if len(images.shape) == 4 else images[None]
        wrong = None
        if keras.backend.is_float_dtype(batch.dtype):
            wrong = check_first_images(self, batch)
            if index is not None and not self.range_is_known:
                # The check tells the first call by the place in the stream.
                self._next_seed(None)
        draws = self.draw(self._next_seed(index), ops.shape(batch)[0])
        output = apply_draws(self, batch, draws)
        if wrong is not None:
            output = ops.cond(
                wrong,
                lambda: ops.full_like(output, math.nan),
                lambda: output,
            )
        return output if len(images.shape) == 4 else output[0]

    def _next_seed(self, index):
        if index is not None:
            if isinstance(index, int | np.integer):
                index = np.int64(index).astype("int32")
            seed = ops.cast(self.seed_generator.state.value[0], "int32")
            return ops.stack([seed, ops.cast(index, "int32")])
        if keras.backend.backend() == "tensorflow" and in_dataset():
            return self.dataset_seeds().next()
        return self.seed_generator.next()

    def dataset_seeds(self):
        """Returns the seed generator for the calls inside `tf.data`."""
        if self._dataset_seeds is None:
            self._dataset_seeds = DatasetSeedGenerator(self.seed_generator)
        return self._dataset_seeds

    def save_own_variables(self, store):
        """Stores the place in the stream of draws."""
        super().save_own_variables(store)
        store["seed"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        """Restores the place in the stream of draws."""
        # Weights saved before this layer was put into the model have no seed.
        if "seed" in store.keys():  # noqa: SIM118
            self.seed_generator.state.assign(store["seed"])
            self.first_number = int(store["seed"][1])

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
