import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_fewlabels.data import ImageFiles
from keras_fewlabels.evaluation import corrupt, evaluate_corruptions
from keras_fewlabels.evaluation.corruptions.corruption_report import (
    ALEXNET_ERRORS,
    CorruptionReport,
)


class DarkOrBright(keras.Model):
    """Class 1 where the mean is above a threshold; no training needed."""

    def __init__(self, threshold=100):
        super().__init__()
        self.threshold = threshold
        self.num_batches = 0

    def call(self, images):
        self.num_batches += 1
        mean = ops.mean(ops.cast(images, "float32"), axis=(1, 2, 3))
        return ops.stack(
            [self.threshold - mean, mean - self.threshold], axis=-1
        )


@pytest.fixture
def images(photographs):
    dark = photographs(32)
    bright = 255 - (255 - dark) // 2
    return np.concatenate([dark // 2, bright])


LABELS = np.repeat([0, 1], 6)


def wrong(images, labels=LABELS, threshold=100):
    """The share that `DarkOrBright` gets wrong, by its definition."""
    found = images.mean(axis=(1, 2, 3), dtype="float64") > threshold
    return float(np.mean(found != labels))


def test_errors_are_those_of_the_corrupted_images(images):
    names = ["brightness", "fog", "gaussian_noise", "spatter"]
    report = evaluate_corruptions(
        DarkOrBright(), images, LABELS, names, (5, 2), seed=3, verbose=0
    )
    assert report.clean_error == wrong(images)
    assert list(report.errors) == names
    assert report.severities == (5, 2)
    for name in names:
        assert report.errors[name] == tuple(
            wrong(corrupt(images, name, severity, seed=3))
            for severity in (5, 2)
        )
    # Brightness turns dark images into bright ones.
    assert report.errors["brightness"][0] > 0.2


@pytest.mark.parametrize(
    "value_range, dtype", [((0, 1), "float32"), ((-1, 1), "float64")]
)
def test_floats_have_the_errors_of_uint8(value_range, dtype, images):
    low, high = value_range
    floats = (low + images / 255 * (high - low)).astype(dtype)
    names = ["snow", "pixelate", "jpeg_compression"]
    found, expected = (
        evaluate_corruptions(
            *(model, x, LABELS, names, (1, 5)),
            value_range=each_range,
            verbose=0,
        )
        for model, x, each_range in (
            (DarkOrBright(low + 100 / 255 * (high - low)), floats, value_range),
            (DarkOrBright(100), images, None),
        )
    )
    assert found == expected


def test_batch_size_seed_and_form_of_labels(images):
    def errors(labels=LABELS, **kwargs):
        report = evaluate_corruptions(
            DarkOrBright(83),
            images,
            labels,
            ["fog", "frost"],
            verbose=0,
            **kwargs,
        )
        return report.errors

    first = errors()
    assert errors(batch_size=5) == errors(batch_size=1) == first
    assert errors(labels=np.eye(2)[LABELS]) == first
    assert errors(labels=LABELS[:, None].tolist()) == first
    assert errors(seed=1) != first


def test_fifteen_corruptions_and_five_severities_with_one_bar(images, capsys):
    report = evaluate_corruptions(
        DarkOrBright(), images[::6], LABELS[::6], baseline="alexnet"
    )
    assert list(report.errors) == list(ALEXNET_ERRORS)
    assert all(len(row) == 5 for row in report.errors.values())
    assert report.mean_corruption_error == pytest.approx(
        np.mean(list(report.errors.values()))
    )
    assert report.baseline_ratio == pytest.approx(
        np.mean(
            [
                np.mean(report.errors[name]) / error
                for name, error in ALEXNET_ERRORS.items()
            ]
        )
    )
    # A batch for the clean images and for each of 15 times 5.
    assert "76/76" in capsys.readouterr().out


def test_baseline_is_a_model_or_its_report(images):
    arguments = images, LABELS, ["brightness", "contrast"], (4, 5)
    worse = evaluate_corruptions(DarkOrBright(40), *arguments, verbose=0)
    reports = [
        evaluate_corruptions(
            DarkOrBright(), *arguments, baseline=baseline, verbose=0
        )
        for baseline in (worse, DarkOrBright(40))
    ]
    assert reports[0] == reports[1]
    assert reports[0].baseline == worse.mean_errors
    assert 0 < reports[0].baseline_ratio < 1
    itself = evaluate_corruptions(
        DarkOrBright(40), *arguments, baseline=worse, verbose=0
    )
    assert itself.baseline_ratio == 1


def test_files_are_read_batch_by_batch(images, tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    files = ImageFiles(paths, (32, 32))
    names = ["fog", "gaussian_noise"]
    expected, report = (
        evaluate_corruptions(
            DarkOrBright(83), x, LABELS, names, (3,), batch_size=5, verbose=0
        )
        for x in (images, files)
    )
    assert report == expected
    np.testing.assert_array_equal(corrupt(files, "fog"), corrupt(images, "fog"))


def test_images_and_model_stay_as_they_are(images):
    before = images.copy()
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    weights = model.get_weights()
    reports = [
        evaluate_corruptions(model, images, LABELS, ["snow"], verbose=0)
        for _ in range(2)
    ]
    assert reports[0] == reports[1]
    np.testing.assert_array_equal(images, before)
    for weight, same in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, same)
    assert isinstance(reports[0], CorruptionReport)


X = np.full((4, 32, 32, 3), 9, "uint8")
Y = np.array([0, 1, 0, 1])
WRONG = {
    "name": ((X, Y, ["rain"]), {}, r"`corruptions` must.*\['rain'\]"),
    "text": ((X, Y, "fog"), {}, "a list with one.*corruptions='fog'"),
    "severity": ((X, Y, None, (1, 6)), {}, r"1 to 5.*severities=\(1, 6\)"),
    "rank": ((X[0], Y), {}, r"`x` must have shape.*\(32, 32, 3\)"),
    "empty": ((X[:0], Y[:0]), {}, "`x` must hold at least one image"),
    "small": ((X[:, ::2, ::2], Y), {}, r"32 pixels.*\(4, 16, 16, 3\)"),
    "nan": ((X * np.nan, Y), {"value_range": (0, 255)}, "finite numbers"),
    "range": ((X * 99.0, Y), {}, r"value_range=\(black, white\)"),
    "dataset": ((iter(X), Y), {}, "`x` must be an array of uint8.*iterator"),
    "fewer": ((X, Y[:3]), {}, "`y` must have one label.*3 labels for 4"),
    "classes": ((X, Y + 1), {}, "`y` must hold class numbers from 0 to 1"),
    "names": ((X, Y.astype(str)), {}, "`y` must hold whole class numbers"),
    "seed": ((X, Y), {"seed": None}, "`seed` must.*seed=None"),
    "batch": ((X, Y), {"batch_size": 0}, "`batch_size` must.*size=0"),
    "baseline": ((X, Y), {"baseline": 0.5}, "`baseline` must.*baseline=0.5"),
    "other": (
        (X, Y, ["fog"], (1, 2)),
        {"baseline": "alexnet"},
        r"means over severities.*severities=\(1, 2\)",
    ),
}


@pytest.mark.parametrize(
    "arguments, kwargs, message", WRONG.values(), ids=WRONG
)
def test_wrong_arguments(arguments, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        evaluate_corruptions(DarkOrBright(), *arguments, verbose=0, **kwargs)


def test_baseline_without_errors_is_refused_before_the_model_runs():
    bright = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D()]
    )
    report = CorruptionReport(0.0, {"fog": (0.0,)}, (1,))
    with pytest.raises(ValueError, match=r"above 0 under each.*\['fog'\]"):
        evaluate_corruptions(
            bright, X, Y, ["fog"], (1,), baseline=report, verbose=0
        )


def test_model_that_returns_no_scores():
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Conv2D(2, 3)]
    )
    with pytest.raises(ValueError, match=r"\(batch, num_classes\).*4 images"):
        evaluate_corruptions(model, X, Y, verbose=0)
    with pytest.raises(ValueError, match=r"`model` must be a `keras.Model`"):
        evaluate_corruptions(lambda x: x, X, Y, verbose=0)
