"""Named tables of the strength of each op of `RandAugment`."""

import dataclasses
import math

# The magnitude at which each range is used in full.
FULL_MAGNITUDE = 10.0


@dataclasses.dataclass(frozen=True)
class StrengthRange:
    """The strength of an op at each magnitude.

    Args:
        at_zero: Float, the strength at magnitude 0, in the unit of the op.
        change: Float, the difference that the full magnitude makes. The
            strength changes in proportion to the magnitude, also beyond it.
        signed: Boolean. If `True`, each draw adds or subtracts the change at
            random.
        lowest: Float, the least strength of the op.
        highest: Float, the greatest strength of the op.
        whole: Boolean. If `True`, the strength is truncated to an integer.

    Example:

    >>> StrengthRange(1.0, 0.9, signed=True, lowest=0.0).at(0.5, sign=-1)
    0.55
    """

    at_zero: float = 0.0
    change: float = 0.0
    signed: bool = False
    lowest: float = -float("inf")
    highest: float = float("inf")
    whole: bool = False

    def at(self, share, sign=1):
        """Returns the strength at a share of the full magnitude."""
        change = self.change * share * (sign if self.signed else 1)
        strength = min(max(self.at_zero + change, self.lowest), self.highest)
        return float(math.trunc(strength)) if self.whole else strength


@dataclasses.dataclass(frozen=True)
class StrengthTable:
    """The ranges of all ops, and how magnitudes are drawn from them.

    Args:
        ranges: Dict from names of ops to `StrengthRange`.
        ops: Tuple of the names that are drawn by default.
        per_unit: Int. If it is 0, each draw has the magnitude of the layer.
            Otherwise each draw has a magnitude of its own below it, a
            multiple of `1 / per_unit`.

    Example:

    >>> TABLES["randaugment"].strength("rotate", magnitude=5, sign=-1)
    -15.0
    """

    ranges: dict
    ops: tuple
    per_unit: int = 0

    def strength(self, name, magnitude, sign=1):
        """Returns the strength of an op at a magnitude."""
        return self.ranges[name].at(magnitude / FULL_MAGNITUDE, sign)


NONE = StrengthRange()
FACTOR = StrengthRange(1.0, 0.9, signed=True, lowest=0.0)
SHEAR = StrengthRange(0.0, 0.3, signed=True)
TRANSLATE = StrengthRange(0.0, 0.45, signed=True, lowest=-1.0, highest=1.0)

# The ranges of AutoAugment, all from no change on, as torchvision has them.
# The first 14 ops are drawn by default, the last three are options.
RANDAUGMENT = {
    "identity": NONE,
    "autocontrast": NONE,
    "equalize": NONE,
    "rotate": StrengthRange(0.0, 30.0, signed=True),
    "solarize": StrengthRange(256.0, -256.0, lowest=0.0),
    "color": FACTOR,
    "posterize": StrengthRange(8.0, -4.0, lowest=1.0),
    "contrast": FACTOR,
    "brightness": FACTOR,
    "sharpness": FACTOR,
    "shear_x": SHEAR,
    "shear_y": SHEAR,
    "translate_x": TRANSLATE,
    "translate_y": TRANSLATE,
    "invert": NONE,
    "solarize_add": StrengthRange(0.0, 110.0, highest=255.0),
    "cutout": StrengthRange(0.0, 0.36, highest=1.0),
}
# From randaugment.py of google-research/noisystudent: factors from 0.1 to 1.9,
# posterize and solarize weaker the greater the magnitude, and at 224 pixels a
# shift of 100 and a square of 80. What a byte cannot hold is clipped here.
ENHANCE = StrengthRange(0.1, 1.8)
NOISY_STUDENT = {
    **RANDAUGMENT,
    "solarize": StrengthRange(0.0, 256.0, highest=256.0, whole=True),
    "solarize_add": StrengthRange(0.0, 110.0, highest=255.0, whole=True),
    "color": ENHANCE,
    "posterize": StrengthRange(0.0, 4.0, highest=8.0, whole=True),
    "contrast": ENHANCE,
    "brightness": ENHANCE,
    "sharpness": ENHANCE,
}
# From the appendix of the FixMatch paper, where color, contrast, brightness and
# sharpness are only ever reduced; the cutout is that of CTAugment.
WEAKENED = StrengthRange(0.95, -0.9, lowest=0.0)
SHIFT = StrengthRange(0.0, 0.3, signed=True, lowest=-1.0, highest=1.0)
FIXMATCH = {
    **RANDAUGMENT,
    "color": WEAKENED,
    "contrast": WEAKENED,
    "brightness": WEAKENED,
    "sharpness": WEAKENED,
    "translate_x": SHIFT,
    "translate_y": SHIFT,
    "cutout": StrengthRange(0.0, 0.5, highest=1.0),
}
PAPER_OPS = tuple(RANDAUGMENT)[:14]
TABLES = {
    "randaugment": StrengthTable(RANDAUGMENT, PAPER_OPS),
    "noisy_student": StrengthTable(NOISY_STUDENT, tuple(RANDAUGMENT)[1:]),
    "fixmatch": StrengthTable(FIXMATCH, PAPER_OPS, per_unit=10),
}
