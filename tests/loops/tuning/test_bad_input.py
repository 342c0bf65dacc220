"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import (
    BROKEN,
    IMAGES,
    LABELED,
    LABELS,
    NAN,
    check_refused,
    classifier,
    parameters,
    tf_data,
)


def tune(build=classifier, x=IMAGES, y=LABELS, validation=LABELED, **options):
    options = {"max_trials": 2, "epochs": 1, "backup_dir": "search", **options}
    kfl.loops.tune_rand_augment(build, (x, y), validation, **options)


# Name: (expected in the message, the call that must raise).
CASES = {
    "find_learning_rate: not compiled": (
        r"Call `compile\(\)`",
        lambda: kfl.loops.find_learning_rate(classifier(loss=None), *LABELED),
    ),
    "find_learning_rate: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.find_learning_rate("resnet", *LABELED),
    ),
    "find_learning_rate: rate NaN": (
        "`min_rate` must be a number above 0",
        lambda: kfl.loops.find_learning_rate(
            classifier(), *LABELED, min_rate=NAN
        ),
    ),
    "find_batch_size: not compiled": (
        r"Call `compile\(\)` first",
        lambda: kfl.loops.find_batch_size(classifier(loss=None), *LABELED),
    ),
    "find_batch_size: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.find_batch_size("resnet", *LABELED),
    ),
    "find_batch_size: sizes in reverse": (
        "`batch_sizes` must be one or more positive ints, ascending",
        lambda: kfl.loops.find_batch_size(
            classifier(), *LABELED, batch_sizes=(4, 2)
        ),
    ),
    "find_batch_size: one size": (
        "`batch_sizes` must be one or more positive ints, ascending",
        lambda: kfl.loops.find_batch_size(
            classifier(), *LABELED, batch_sizes=4
        ),
    ),
    "find_batch_size: no steps": (
        "`num_steps` must be an int, 1 or more",
        lambda: kfl.loops.find_batch_size(
            classifier(), *LABELED, batch_sizes=(4,), num_steps=0
        ),
    ),
    "find_batch_size: labels of other images": (
        "one image or more, and one label for each",
        lambda: kfl.loops.find_batch_size(classifier(), IMAGES, LABELS[:3]),
    ),
    "find_batch_size: no images": (
        "one image or more, and one label for each",
        lambda: kfl.loops.find_batch_size(classifier(), IMAGES[:0], LABELS[:0]),
    ),
    "find_batch_size: empty tf.data": (
        "one image or more, and one label for each",
        lambda: kfl.loops.find_batch_size(
            classifier(), tf_data(*LABELED).take(0)
        ),
    ),
    "tune_rand_augment: builder of another type": (
        "`build_model` must be a function",
        lambda: tune("resnet"),
    ),
    "tune_rand_augment: not compiled": (
        "must return a Keras model that is compiled",
        lambda: tune(lambda: classifier(loss=None)),
    ),
    "tune_rand_augment: no accuracy": (
        "Settings are compared by their accuracy",
        lambda: tune(lambda: classifier(metrics=[])),
    ),
    "tune_rand_augment: one trial": (
        "`max_trials` must be an int, 2 or more",
        lambda: tune(max_trials=1),
    ),
    "tune_rand_augment: one count of ops": (
        "`num_ops` and `magnitudes` must be lists",
        lambda: tune(num_ops=2),
    ),
    "tune_rand_augment: negative magnitude": (
        "`magnitude` must be a number",
        lambda: tune(magnitudes=[-1]),
    ),
    "tune_rand_augment: no epochs": (
        "`epochs` must be an int, 1 or more",
        lambda: tune(epochs=0),
    ),
    "tune_rand_augment: batch size of another type": (
        "`batch_size` must be an int, 1 or more",
        lambda: tune(batch_size="32"),
    ),
    "tune_rand_augment: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: tune(seed=-1),
    ),
    "tune_rand_augment: NaN": (
        "`labeled` must hold finite numbers",
        lambda: tune(x=BROKEN, value_range=(0, 1)),
    ),
    "tune_rand_augment: labels of other images": (
        "must have one label per image",
        lambda: tune(y=LABELS[:3]),
    ),
    "tune_rand_augment: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: tune(y=LABELS + 1),
    ),
    "tune_rand_augment: validation without labels": (
        r"`validation_data` must be a pair \(images, labels\)",
        lambda: tune(validation=IMAGES),
    ),
    "tune_rand_augment: file in the way": (
        "`backup_dir` must be a folder",
        lambda: tune(backup_dir="file"),
    ),
    "tune_rand_augment: truncated search": (
        "rand_augment.json.* is damaged",
        lambda: tune(backup_dir="truncated"),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
