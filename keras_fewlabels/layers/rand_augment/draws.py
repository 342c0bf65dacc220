"""What every image of a batch draws."""

import math
import typing

import numpy as np
from keras import ops

from keras_fewlabels.layers.rand_augment.tables import TABLES
from keras_fewlabels.ops import uniform_per_image


class Draws(typing.NamedTuple):
    """What a batch drew: tensors whose first axes are `(batch, num_ops)`.

    Args:
        choice: Int32, the position in `RandAugment.ops`, or -1 for none.
        position: Int32, the position in `RandAugmentDraws.names`.
        strength: Float32, in the unit of the op.
        center: Float32 with a last axis of 2: where `cutout` covers.
    """

    choice: object
    position: object
    strength: object
    center: object


class RandAugmentDraws:
    """Draws ops, signs, magnitudes and places for every image of a batch.

    Args:
        layer: The `RandAugment` whose settings count.
    """

    # Whether or not an option is on, so that it leaves the other draws alone.
    NUMBERS = 8

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
        # By magnitude, op and sign, in doubles as Pillow's users compute them.
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
        # Tenths, up to where one draw in 30,000 lies beyond.
        top = self.magnitude + 4 * self.magnitude_std
        return np.arange(math.ceil(top * 10) + 1) / 10

    def __call__(self, seed, batch_size):
        draws = uniform_per_image(seed, batch_size, self.num_ops * self.NUMBERS)
        draws = ops.reshape(draws, (-1, self.num_ops, self.NUMBERS))
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
        # Box and Muller: two even draws make a normal one.
        size = ops.sqrt(-2 * ops.log(1 - first))
        normal = size * ops.cos(2 * math.pi * second)
        magnitude = self.magnitude + self.magnitude_std * normal
        tenths = ops.clip(
            ops.round(10 * magnitude), 0, len(self.magnitudes) - 1
        )
        return ops.cast(tenths, "int32")


def _whole(draws, count):
    return ops.minimum(ops.cast(draws * count, "int32"), count - 1)
