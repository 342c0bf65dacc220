import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.rand_augment.tables import TABLES

# By table, op and magnitude: the strengths with minus and plus.
STRENGTHS = [
    ("randaugment", "rotate", 10, (-30, 30)),
    ("randaugment", "rotate", 27, (-81, 81)),
    ("randaugment", "color", 5, (0.55, 1.45)),
    ("randaugment", "color", 27, (0, 3.43)),
    ("randaugment", "posterize", 10, (4, 4)),
    ("randaugment", "posterize", 27, (1, 1)),
    ("randaugment", "solarize", 10, (0, 0)),
    ("randaugment", "solarize", 27, (0, 0)),
    ("randaugment", "solarize_add", 27, (255, 255)),
    ("randaugment", "translate_x", 10, (-0.45, 0.45)),
    ("randaugment", "translate_y", 27, (-1, 1)),
    ("randaugment", "cutout", 10, (0.36, 0.36)),
    ("randaugment", "cutout", 100, (1, 1)),
    ("noisy_student", "color", 0, (0.1, 0.1)),
    ("noisy_student", "color", 27, (4.96, 4.96)),
    ("noisy_student", "posterize", 9, (3, 3)),
    ("noisy_student", "posterize", 10, (4, 4)),
    ("noisy_student", "posterize", 27, (8, 8)),
    ("noisy_student", "solarize", 5, (128, 128)),
    ("noisy_student", "solarize", 9, (230, 230)),
    ("noisy_student", "solarize", 27, (256, 256)),
    ("noisy_student", "solarize_add", 7.5, (82, 82)),
    ("noisy_student", "translate_x", 5, (-0.225, 0.225)),
    ("noisy_student", "shear_x", 10, (-0.3, 0.3)),
    ("fixmatch", "color", 0, (0.95, 0.95)),
    ("fixmatch", "sharpness", 10, (0.05, 0.05)),
    ("fixmatch", "brightness", 27, (0, 0)),
    ("fixmatch", "translate_x", 10, (-0.3, 0.3)),
    ("fixmatch", "rotate", 5, (-15, 15)),
    ("fixmatch", "posterize", 10, (4, 4)),
    ("fixmatch", "solarize", 10, (0, 0)),
    ("fixmatch", "cutout", 5, (0.25, 0.25)),
]


@pytest.mark.parametrize("table, name, magnitude, expected", STRENGTHS)
def test_strength(table, name, magnitude, expected):
    table = TABLES[table]
    strengths = [table.strength(name, magnitude, sign) for sign in (-1, 1)]
    assert strengths == pytest.approx(list(expected))


def test_noisy_student_draws_all_but_identity():
    layer = RandAugment(2, 27, table="noisy_student")
    assert set(layer.ops) == set(RandAugment.OPS) - {"identity"}


def test_default_ops_are_the_papers():
    assert RandAugment().ops == (
        "identity", "autocontrast", "equalize", "rotate", "solarize", "color",
        "posterize", "contrast", "brightness", "sharpness", "shear_x",
        "shear_y", "translate_x", "translate_y",
    )  # fmt: skip
