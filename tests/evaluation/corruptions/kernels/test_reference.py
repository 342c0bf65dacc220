"""The corruptions are those of the benchmark: `make_reference.py` says how."""

import importlib.util
import itertools
import pathlib

import numpy as np
import pytest

from keras_fewlabels.evaluation import corrupt

PATH = pathlib.Path(__file__).with_name("make_reference.py")
SPEC = importlib.util.spec_from_file_location("make_reference", PATH)
make_reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_reference)
REFERENCE = dict(np.load(make_reference.PATH))

# With equal draws, the largest mean difference in levels. The benchmark cuts
# levels off instead of rounding them, which is half a level.
EQUAL = {
    "gaussian_noise": 0.6,
    "shot_noise": 0.6,
    "defocus_blur": 0.6,
    "motion_blur": 0.6,
    "zoom_blur": 0.6,
    "snow": 0.6,
    "brightness": 0.6,
    "contrast": 0.6,
    "elastic_transform": 0.6,
    "pixelate": 0.1,
    "jpeg_compression": 0.1,
    "speckle_noise": 0.6,
    "gaussian_blur": 0.6,
    "saturate": 0.6,
}
# With other draws, the largest relative differences of the statistics.
SIMILAR = {
    "impulse_noise": (0.03, 0.02, 0.02, 0.03, 0.04),
    "glass_blur": (0.05, 0.02, 0.03, 0.04, 0.1),
    # The ice of the benchmark is photographed, so it is smoother than ours.
    "frost": (0.2, 0.1, 0.2, 0.6, 0.06),
    "fog": (0.3, 0.25, 0.12, 0.1, 0.03),
    "spatter": (0.25, 0.02, 0.04, 0.04, 0.03),
}
CASES = list(itertools.product([*EQUAL, *SIMILAR], make_reference.SEVERITIES))


@pytest.fixture(scope="module")
def photographs():
    return make_reference.photographs(224)


def is_reference(name, severity, pixels, statistics):
    """Returns if pixels, or statistics, are those of the benchmark."""
    if name in EQUAL:
        expected = REFERENCE[f"{name} {severity}"].astype(float)
        return np.abs(pixels - expected).mean() <= EQUAL[name]
    expected = REFERENCE[f"{name} {severity} statistics"]
    return (np.abs(statistics / expected - 1) <= SIMILAR[name]).all()


def test_photographs_are_those_of_the_reference(photographs):
    pixels = photographs[1][make_reference.GRID]
    np.testing.assert_array_equal(pixels, REFERENCE["clean"])


@pytest.mark.parametrize("name, severity", CASES)
def test_as_the_benchmark_at_224(name, severity, photographs):
    pixels = statistics = None
    if name in EQUAL:
        # The first image of a batch has the draws of the reference.
        (image,) = corrupt(photographs[1:2], name, severity)
        pixels = image[make_reference.GRID]
    else:
        images = corrupt(photographs, name, severity)
        statistics = make_reference.statistics(images, photographs)
    assert is_reference(name, severity, pixels, statistics)


@pytest.mark.parametrize("name, severity", CASES)
def test_no_other_corruption_or_severity_passes(name, severity):
    passing = [
        case
        for case in CASES
        if is_reference(
            name,
            severity,
            REFERENCE["{} {}".format(*case)],
            REFERENCE["{} {} statistics".format(*case)],
        )
    ]
    assert passing == [(name, severity)]
