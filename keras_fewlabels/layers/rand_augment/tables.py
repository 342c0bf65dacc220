"""The named tables of how strong each op of `RandAugment` is."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class StrengthRange:
    """How strong an op is at each magnitude.

    Args:
        at_zero: Strength at magnitude 0, in the unit of the op.
        change: What the full magnitude adds to it. Between and beyond, the
            strength grows in proportion.
        signed: Whether each draw adds or subtracts the change at random.
        lowest: The least strength that the op can do.
        highest: The greatest strength that the op can do.
        whole: Whether fractions are cut off.

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
    """The ranges of all ops, and what is drawn from them.

    Args:
        ranges: Dict of `StrengthRange` by name of the op.
        ops: Names that are drawn from by default.
        full_magnitude: The magnitude at which each range is used in full.
        per_unit: Each draw takes a magnitude of its own below the one that is
            set, out of so many per unit. With 0 it takes the one that is set.

    Example:

    >>> TABLES["randaugment"].strength("rotate", magnitude=5, sign=-1)
    -15.0
    """

    ranges: dict
    ops: tuple
    full_magnitude: float = 10.0
    per_unit: int = 0

    def strength(self, name, magnitude, sign=1):
        """Returns the strength of an op at a magnitude."""
        return self.ranges[name].at(magnitude / self.full_magnitude, sign)


NONE = StrengthRange()
FACTOR = StrengthRange(1.0, 0.9, signed=True, lowest=0.0)
SHEAR = StrengthRange(0.0, 0.3, signed=True)
TRANSLATE = StrengthRange(0.0, 0.45, signed=True, lowest=-1.0, highest=1.0)

# The ranges of AutoAugment, all from no change on, as torchvision has them.
# In order: first what is drawn from by default, then the three options.
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
# shift of 100 and a square of 80. What leaves a byte beyond 10 is cut off here.
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
# From the appendix of the FixMatch paper, where colours, contrast, brightness
# and sharpness only ever fade; the cutout is that of CTAugment.
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
TUTORIAL_TRANSLATE = StrengthRange(0.0, 0.2, True, lowest=-1.0, highest=1.0)
CIFAR10_TUTORIAL = {
    **RANDAUGMENT,
    "rotate": StrengthRange(0.0, 360.0),
    "solarize": StrengthRange(256.0, -25.0, lowest=0.0),
    "contrast": StrengthRange(1.0, 0.5, signed=True, lowest=0.0),
    "brightness": StrengthRange(1.0, 0.3, signed=True, lowest=0.0),
    "translate_x": TUTORIAL_TRANSLATE,
    "translate_y": TUTORIAL_TRANSLATE,
}
PAPER_OPS = tuple(RANDAUGMENT)[:14]
TABLES = {
    "randaugment": StrengthTable(RANDAUGMENT, PAPER_OPS),
    "noisy_student": StrengthTable(NOISY_STUDENT, tuple(RANDAUGMENT)[1:]),
    "fixmatch": StrengthTable(FIXMATCH, PAPER_OPS, per_unit=10),
    "cifar10_tutorial": StrengthTable(
        CIFAR10_TUTORIAL, PAPER_OPS, full_magnitude=9.0, per_unit=1
    ),
}
