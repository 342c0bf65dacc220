"""Draws of ops, strengths and places for every image of a batch."""

import math
import typing

import numpy as np
from keras import ops

from keras_fewlabels.layers.rand_augment.tables import TABLES


class Draws(typing.NamedTuple):
    """The draws of a batch: tensors whose first axes are `(batch, num_ops)`.

    Args:
        choice: Int32, the position in `RandAugment.ops`, or -1 for none.
        position: Int32, the position in `RandAugmentDraws.names`.
        strength: Float32, in the unit of the op.
        center: Float32 with a last axis of 2, the center of the cutout.
    """

    choice: object
    position: object
    strength: object
    center: object


class RandAugmentDraws:
    """Draws ops, signs, magnitudes and places for every image of a batch.

    Args:
        layer: The `RandAugment` whose settings apply.
    """

    # Each op takes as many numbers with and without the options, so that an
    # option leaves the other draws alone.
    _NUMBERS = 8

    def __init__(self, layer):
        self.num_ops = layer.num_ops
        self.apply_probability = layer.apply_probability
        self.magnitude = layer.magnitude
        self.magnitude_std = layer.magnitude_std
        self.table = TABLES[layer.table]
        named = [op if isinstance(op, str) else "identity" for op in layer.ops]
        self.names = tuple(dict.fromkeys(named))
        if self.apply_probability < 1 and "identity" not in self.names:
            self.names = (*self.names, "identity")
        self.positions = np.int32([self.names.index(name) for name in named])
        self.magnitudes = self._magnitudes()
        # Axes: magnitude, op and sign. Computed in doubles, as in Python.
        self.strengths = np.float32(
            [
                [
                    [self.table.strength(name, m, sign) for sign in (-1, 1)]
                    for name in named
                ]
                for m in self.magnitudes
            ]
        )

    def _magnitudes(self):
        per_unit = self.table.per_unit
        if per_unit:
            count = max(math.ceil(self.magnitude * per_unit), 1)
            return np.arange(count) / per_unit
        if not self.magnitude_std:
            return [self.magnitude]
        # Tenths. One draw in 30,000 would be above the largest.
        top = self.magnitude + 4 * self.magnitude_std
        return np.arange(math.ceil(top * 10) + 1) / 10

    def __call__(self, seed, batch_size):
        draws = uniform_per_image(
            seed, batch_size, self.num_ops * self._NUMBERS
        )
        draws = ops.reshape(draws, (-1, self.num_ops, self._NUMBERS))
        num_choices = len(self.positions)
        choice = _whole(draws[..., 0], num_choices)
        sign = ops.cast(draws[..., 1] >= 0.5, "int32")
        magnitude = self._magnitude(draws[..., 5], draws[..., 6])
        strength = ops.take(
            self.strengths.ravel(),
            (magnitude * num_choices + choice) * 2 + sign,
        )
        position = ops.take(self.positions, choice)
        if self.apply_probability < 1:
            applied = draws[..., 4] < self.apply_probability
            choice = ops.where(applied, choice, -1)
            identity = self.names.index("identity")
            position = ops.where(applied, position, identity)
        return Draws(choice, position, strength, draws[..., 2:4])

    def _magnitude(self, first, second):
        if self.table.per_unit:
            return _whole(first, len(self.magnitudes))
        if not self.magnitude_std:
            return ops.zeros_like(first, dtype="int32")
        # Box-Muller transform of two uniform draws into a normal one.
        size = ops.sqrt(-2 * ops.log(1 - first))
        normal = size * ops.cos(2 * math.pi * second)
        magnitude = self.magnitude + self.magnitude_std * normal
        tenths = ops.clip(
            ops.round(10 * magnitude), 0, len(self.magnitudes) - 1
        )
        return ops.cast(tenths, "int32")


def _whole(draws, count):
    return ops.minimum(ops.cast(draws * count, "int32"), count - 1)


def uniform_per_image(seed, batch_size, num_draws):
    """Draws numbers in `[0, 1)` for every image of a batch.

    The numbers of an image are a hash of the seed and of the image's position
    in the batch. They are the same on every backend, compiled or not, however
    the batch is spread over devices.

    Args:
        seed: An integer tensor of shape `(2,)` with the seed and the number of
            the call, as `keras.random.SeedGenerator.next` returns it.
        batch_size: Integer, or integer tensor.
        num_draws: Integer, the count of numbers for each image.

    Returns:
        A float32 tensor of shape `(batch_size, num_draws)`.

    Example:

    >>> draws = uniform_per_image(np.array([7, 0]), 2, 3)
    >>> bool(keras.ops.all((draws >= 0) & (draws < 1)))
    True
    """
    seed = ops.cast(seed, "int32")
    image = ops.arange(batch_size, dtype="int32")
    draw = ops.arange(num_draws, dtype="int32")
    # Two hashes of 32 bits each, so that no two images agree in both.
    first = _hash(_hash(_hash(seed[0] + 1) + seed[1]) + image)
    second = _hash(_hash(_hash(seed[0] - 1) - seed[1]) - image)
    bits = _hash(_hash(first[:, None] + draw) + second[:, None])
    return ops.cast(_shift(bits, 8), "float32") * 2.0**-24


def _hash(x):
    # Wellons' lowbias32, in int32 because torch cannot multiply uint32.
    x = (x ^ _shift(x, 16)) * 0x7FEB352D
    x = (x ^ _shift(x, 15)) * (0x846CA68B - 2**32)
    return x ^ _shift(x, 16)


def _shift(x, bits):
    # The mask drops the sign, which a shift of int32 copies into all bits.
    return ops.right_shift(x, bits) & (2 ** (32 - bits) - 1)
