"""Checks that wrong arguments raise before anything happens."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from bad_input import (
    BROKEN,
    FLOATS,
    IMAGES,
    LABELED,
    LABELS,
    NAN,
    RAGGED,
    UNLABELED,
    Endless,
    check_refused,
    classifier,
    parameters,
    tf_data,
    unbuilt,
)


def noisy_student(
    build=classifier, labeled=LABELED, unlabeled=UNLABELED, **options
):
    short = {"supervised_steps": 1, "student_steps": 1, "steps_per_epoch": 1}
    settings = options.pop("settings", {})
    if isinstance(settings, dict):
        settings = {**short, **settings}
    options = {"backup_dir": "backup", "verbose": 0, **options}
    kfl.loops.fit_noisy_student(
        build, labeled, unlabeled, settings=settings, **options
    )


# Name: (expected in the message, the call that must raise).
CASES = {
    "fit_noisy_student: builder of another type": (
        "`build_student` must be a function",
        lambda: noisy_student(7),
    ),
    "fit_noisy_student: name of no network": (
        "must be the name of a network",
        lambda: noisy_student("resnet"),
    ),
    "fit_noisy_student: no time at all": (
        "`time_limit` must be a number",
        lambda: noisy_student(time_limit=0),
    ),
    "fit_noisy_student: builder returns None": (
        "must return a built Keras model",
        lambda: noisy_student(lambda: None),
    ),
    "fit_noisy_student: class missing among the labels": (
        "needs at least one labelled image",
        lambda: noisy_student(labeled=(IMAGES[:8], LABELS[:8] % 2)),
    ),
    "fit_noisy_student: label outside the classes": (
        "class numbers from 0 to 2",
        lambda: noisy_student(labeled=(IMAGES[:8], LABELS[:8] + 1)),
    ),
    "fit_noisy_student: labels alone": (
        r"must be a pair \(images, labels\)",
        lambda: noisy_student(labeled=LABELS),
    ),
    "fit_noisy_student: images of several sizes": (
        "`labeled` must .*one size",
        lambda: noisy_student(labeled=(RAGGED, [0, 1])),
    ),
    "fit_noisy_student: unlabelled images with labels": (
        "`unlabeled` must be images alone",
        lambda: noisy_student(unlabeled=LABELED),
    ),
    "fit_noisy_student: unlabelled images of another type": (
        "must have the same dtype",
        lambda: noisy_student(unlabeled=FLOATS),
    ),
    "fit_noisy_student: infinite unlabelled tf.data": (
        "must end",
        lambda: noisy_student(unlabeled=tf_data(UNLABELED).repeat()),
    ),
    "fit_noisy_student: infinite labelled tf.data": (
        "must end",
        lambda: noisy_student(labeled=tf_data(*LABELED).repeat()),
    ),
    "fit_noisy_student: endless PyDataset": (
        "must end",
        lambda: noisy_student(labeled=Endless()),
    ),
    "fit_noisy_student: NaN": (
        "`unlabeled` must hold finite numbers",
        lambda: noisy_student(
            labeled=(FLOATS[:8], LABELS[:8]), unlabeled=BROKEN[8:]
        ),
    ),
    "fit_noisy_student: images scaled twice": (
        "they are scaled already",
        lambda: noisy_student(
            lambda: classifier(front=[layers.Rescaling(1 / 255)]),
            (FLOATS[:8], LABELS[:8]),
            FLOATS[8:],
        ),
    ),
    "fit_noisy_student: model of logits": (
        "activation='softmax'",
        lambda: noisy_student(lambda: classifier(activation=None)),
    ),
    "fit_noisy_student: model of other images": (
        "The model must take the images as they are",
        lambda: noisy_student(lambda: classifier(shape=(6, 6, 1))),
    ),
    "fit_noisy_student: generations of another type": (
        "`generations` must be an int",
        lambda: noisy_student(generations="2"),
    ),
    "fit_noisy_student: half a generation": (
        "`generations` must be an int",
        lambda: noisy_student(generations=1.5),
    ),
    "fit_noisy_student: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: noisy_student(seed=-1),
    ),
    "fit_noisy_student: seed of another type": (
        "`seed` must be an int, 0 or more",
        lambda: noisy_student(seed=None),
    ),
    "fit_noisy_student: settings of another type": (
        "`settings` must be a `Settings`",
        lambda: noisy_student(settings="fast"),
    ),
    "fit_noisy_student: unknown setting": (
        "`settings` may have",
        lambda: noisy_student(settings={"epochs": 3}),
    ),
    "fit_noisy_student: setting of an old name": (
        "'teacher_noise' is now 'supervised_noise'",
        lambda: noisy_student(settings={"teacher_noise": False}),
    ),
    "fit_noisy_student: setting whose place a layer takes": (
        "'magnitude' would have no effect: `noise` takes its place",
        lambda: noisy_student(
            settings={"magnitude": 3}, noise=layers.GaussianNoise(0.1)
        ),
    ),
    "fit_noisy_student: verbose of another type": (
        "`verbose` must be",
        lambda: noisy_student(verbose="loud"),
    ),
    "fit_noisy_student: findings of another type": (
        "`findings` must be those of",
        lambda: noisy_student(findings={}),
    ),
    "fit_noisy_student: setting NaN": (
        "`learning_rate` must be a number above 0",
        lambda: noisy_student(settings={"learning_rate": NAN}),
    ),
    "fit_noisy_student: unknown op": (
        "`ops` must hold Keras layers, or names",
        lambda: noisy_student(settings={"ops": ["spin"]}),
    ),
    "fit_noisy_student: fill value out of range": (
        "`fill_value` must be in",
        lambda: noisy_student(settings={"fill_value": 256}),
    ),
    "fit_noisy_student: no branches to drop": (
        "no addition of a residual branch",
        lambda: noisy_student(settings={"stochastic_depth": 0.2}),
    ),
    "fit_noisy_student: range in reverse": (
        "`value_range` must be the values of black and white",
        lambda: noisy_student(value_range=(255, 0)),
    ),
    "fit_noisy_student: one number as range": (
        "`value_range` must be the values of black and white",
        lambda: noisy_student(value_range=255),
    ),
    "fit_noisy_student: range NaN": (
        "`value_range` must be the values of black and white",
        lambda: noisy_student(value_range=(0, NAN)),
    ),
    "fit_noisy_student: policy of another type": (
        "`policy` must be a `keras_fewlabels.policies.Policy`",
        lambda: noisy_student(policy=0.95),
    ),
    "fit_noisy_student: noise of another type": (
        "`noise` must be a Keras layer",
        lambda: noisy_student(noise=lambda images: images),
    ),
    "fit_noisy_student: callbacks of another type": (
        "`callbacks` must be",
        lambda: noisy_student(callbacks=["csv"]),
    ),
    "fit_noisy_student: test images of another type": (
        "`test_data` must hold images like the labelled ones",
        lambda: noisy_student(test_data=(FLOATS, LABELS)),
    ),
    "fit_noisy_student: validation images without labels": (
        r"`validation_data` must be a pair \(images, labels\)",
        lambda: noisy_student(validation_data=IMAGES),
    ),
    "fit_noisy_student: truth of text": (
        "`truth` must hold whole class numbers",
        lambda: noisy_student(truth=["cat"] * 8),
    ),
    "fit_noisy_student: truth outside the classes": (
        "`truth` must hold class numbers from 0 to 2",
        lambda: noisy_student(truth=np.full(8, 3)),
    ),
    "fit_noisy_student: names of other classes": (
        "`class_names` must name each of the 3 classes",
        lambda: noisy_student(class_names=["cat", "dog"]),
    ),
    "fit_noisy_student: file in the way of the backup": (
        "`backup_dir` must be a folder",
        lambda: noisy_student(backup_dir="file"),
    ),
    "fit_noisy_student: backup of another type": (
        "`backup_dir` must be the path of a folder",
        lambda: noisy_student(backup_dir=3),
    ),
    "fit_noisy_student: backup of another run": (
        "holds the backup of a run with other",
        lambda: noisy_student(backup_dir="other"),
    ),
    "fit_noisy_student: truncated backup": (
        "run.json.* is damaged",
        lambda: noisy_student(backup_dir="truncated"),
    ),
    "recommend: model not built": (
        "student must be built",
        lambda: kfl.loops.recommend(unbuilt, LABELED, UNLABELED),
    ),
    "recommend: unknown range": (
        "do not tell what is black",
        lambda: kfl.loops.recommend(
            classifier, (FLOATS[:8] * 999, LABELS[:8]), FLOATS[8:] * 999
        ),
    ),
    "recommend: model of one score per pixel": (
        "one row of class scores per image",
        lambda: kfl.loops.recommend(
            lambda: keras.Sequential([keras.Input((8, 8, 1)), layers.Dense(3)]),
            LABELED,
            UNLABELED,
        ),
    ),
    "fit_head: not compiled": (
        r"Call `compile\(\)` first",
        lambda: kfl.loops.fit_head(classifier(loss=None), "flat", LABELED),
    ),
    "fit_head: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.fit_head("resnet", "flat", LABELED),
    ),
    "fit_head: unknown backbone": (
        "must be a layer of the model",
        lambda: kfl.loops.fit_head(classifier(), "resnet", LABELED),
    ),
    "fit_head: labels of other images": (
        "one label per image",
        lambda: kfl.loops.fit_head(
            classifier(), "flat", (IMAGES, LABELS[:4]), verbose=0
        ),
    ),
    "fit_head: no labels": (
        "needs labels",
        lambda: kfl.loops.fit_head(classifier(), "flat", IMAGES, verbose=0),
    ),
    "fit_head: infinite tf.data": (
        "`labeled` must end",
        lambda: kfl.loops.fit_head(
            classifier(), "flat", tf_data(*LABELED).repeat()
        ),
    ),
    "fit_head: endless PyDataset": (
        "`labeled` must end",
        lambda: kfl.loops.fit_head(classifier(), "flat", Endless()),
    ),
    "recalibrate_batch_norm: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.recalibrate_batch_norm(None, IMAGES),
    ),
    "recalibrate_batch_norm: no images": (
        "at least one image",
        lambda: kfl.loops.recalibrate_batch_norm(
            classifier(front=[layers.BatchNormalization()]), IMAGES[:0]
        ),
    ),
    "recalibrate_batch_norm: no batch size": (
        "`batch_size` must be an int, 1 or more",
        lambda: kfl.loops.recalibrate_batch_norm(
            classifier(front=[layers.BatchNormalization()]),
            IMAGES,
            batch_size=0,
        ),
    ),
    "FitReport: nothing": (
        "`details` must be a dict",
        lambda: kfl.loops.FitReport(None),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
