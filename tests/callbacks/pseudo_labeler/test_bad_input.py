"""Checks that wrong arguments raise before anything happens."""

import pytest

import keras_fewlabels as kfl
from bad_input import (
    IMAGES,
    LABELED,
    LABELS,
    NAN,
    ONE_HOT,
    UNLABELED,
    check_refused,
    classifier,
    parameters,
    tf_data,
)


def fit_labeler(
    model=None, labeled=LABELED, mixed=True, fit=None, how=None, **options
):
    """A fit with pseudo-labels."""
    labeler = kfl.callbacks.PseudoLabeler(UNLABELED, **options)
    data = labeled
    if mixed:
        data = (labeler.mixed_with(labeled, 4, **(how or {})),)
    model = model or classifier()
    model.fit(*data, callbacks=[labeler], verbose=0, **(fit or {}))


# Name: (expected in the message, the call that must raise).
CASES = {
    "PseudoLabeler: path of a folder": (
        "must be images, not where they are",
        lambda: kfl.callbacks.PseudoLabeler("folder"),
    ),
    "PseudoLabeler: images with labels": (
        "`unlabeled` must be images alone",
        lambda: kfl.callbacks.PseudoLabeler(LABELED),
    ),
    "PseudoLabeler: infinite tf.data": (
        "must end",
        lambda: kfl.callbacks.PseudoLabeler(tf_data(UNLABELED).repeat()),
    ),
    "PseudoLabeler: tf.data in random order": (
        "in the same order in every pass",
        lambda: kfl.callbacks.PseudoLabeler(tf_data(UNLABELED).shuffle(9)),
    ),
    "PseudoLabeler: policy of another type": (
        "`policy` must be a `keras_fewlabels.policies.Policy`",
        lambda: fit_labeler(policy=0.95),
    ),
    "PseudoLabeler: teacher of another type": (
        "`teacher` must be a Keras model",
        lambda: fit_labeler(teacher="model.keras"),
    ),
    "PseudoLabeler: unknown balance": (
        "`balance` must be 'repeat' or",
        lambda: fit_labeler(balance="oversample"),
    ),
    "PseudoLabeler: every 0 epochs": (
        "`every` must be an int, 1 or more",
        lambda: fit_labeler(every=0),
    ),
    "PseudoLabeler: negative start": (
        "`start` must be an int, 0 or more",
        lambda: fit_labeler(start=-1),
    ),
    "PseudoLabeler: curriculum NaN": (
        "`curriculum` must be a number in",
        lambda: fit_labeler(curriculum=NAN),
    ),
    "PseudoLabeler: no rounds": (
        "`max_rounds` must be an int, 1 or more",
        lambda: fit_labeler(max_rounds=0),
    ),
    "PseudoLabeler: seed of another type": (
        "`seed` must be",
        lambda: fit_labeler(seed="7"),
    ),
    "PseudoLabeler: veto of no image": (
        "`veto` must be a veto file, or a sequence of indices",
        lambda: kfl.callbacks.PseudoLabeler(UNLABELED, veto=[8]),
    ),
    "PseudoLabeler: no veto file": (
        "`veto` must be a CSV file",
        lambda: kfl.callbacks.PseudoLabeler(UNLABELED, veto="none.csv"),
    ),
    "PseudoLabeler: truth of other images": (
        "`truth` must have one label per image",
        lambda: fit_labeler(truth=[0, 1]),
    ),
    "PseudoLabeler: file in the way of the cache": (
        "`cache_dir` must be a folder",
        lambda: fit_labeler(cache_dir="file"),
    ),
    "PseudoLabeler: cache of another type": (
        "`cache_dir` must be the path of a folder",
        lambda: fit_labeler(cache_dir=3),
    ),
    "PseudoLabeler: fit on the labels alone": (
        r"Fit on `labeler.mixed_with\(labeled\)`",
        lambda: fit_labeler(mixed=False),
    ),
    "PseudoLabeler: other steps per epoch": (
        "Fit on what `mixed_with` returns",
        lambda: fit_labeler(fit={"steps_per_epoch": 1}),
    ),
    "PseudoLabeler: no steps per epoch": (
        "`steps_per_epoch` must be an int, 1 or more",
        lambda: fit_labeler(how={"steps_per_epoch": 0}),
    ),
    "PseudoLabeler: labelled images alone": (
        r"`labeled` must be a pair \(images, labels\)",
        lambda: fit_labeler(labeled=IMAGES),
    ),
    "PseudoLabeler: labelled None": (
        r"`labeled` must be a pair \(images, labels\)",
        lambda: fit_labeler(labeled=None),
    ),
    "PseudoLabeler: model of logits": (
        "activation='softmax'",
        lambda: fit_labeler(classifier(activation=None)),
    ),
    "PseudoLabeler: loss of no classes": (
        "must be a categorical cross-entropy",
        lambda: fit_labeler(
            classifier(loss="mse"), labeled=(IMAGES[:8], ONE_HOT[:8])
        ),
    ),
    "PseudoLabeler: teacher of other classes": (
        "must have the same classes",
        lambda: fit_labeler(teacher=classifier(4)),
    ),
    "PseudoLabeler: teacher of other images": (
        "The teacher must take the images",
        lambda: fit_labeler(teacher=classifier(shape=(6, 6, 1))),
    ),
    "PseudoLabeler: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: fit_labeler(labeled=(IMAGES[:8], LABELS[:8] + 1)),
    ),
    "PseudoLabeler: soft labels beside class numbers": (
        "Soft pseudo-labels need one-hot true labels",
        lambda: fit_labeler(policy=kfl.policies.FixedThreshold(soft=True)),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
