"""Ladders of models that come trained, on images with several labels."""

import csv
import functools

import keras
import numpy as np
import pytest

from keras_fewlabels.loops import fit_noisy_student, recommend

# Two out of four patterns are in each image, under noise.
RANDOM = np.random.default_rng(0)
PATTERNS = RANDOM.normal(size=(4, 8, 8, 1))
TRUTH = RANDOM.permuted(np.tile([1, 1, 0, 0], (460, 1)), axis=1)
IMAGES = np.tensordot(TRUTH, PATTERNS, axes=1)
IMAGES = (IMAGES + RANDOM.normal(0, 2, IMAGES.shape)).astype("float32")
LABELED, UNLABELED = (IMAGES[:20], TRUTH[:20]), IMAGES[20:260]
VALIDATION, TEST = (
    (IMAGES[part], TRUTH[part]) for part in (slice(260, 360), slice(360, 460))
)
NAMES = ["sea", "sky", "sun", "shore"]
# Four steps on labels, and four of one round.
SHORT = {"student_steps": 6, "steps_per_epoch": 2, "rounds": 1}


def pretrained(activation="sigmoid", compiled=False):
    """A model whose features are the pixels."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, kernel_initializer="identity"),
            keras.layers.Dense(4, activation),
        ]
    )
    model.set_weights([weight + 0.01 for weight in model.get_weights()])
    if compiled:
        loss = keras.losses.BinaryCrossentropy(from_logits=activation is None)
        model.compile(keras.optimizers.Adam(0.001), loss)
    return model


def run(model=None, labeled=LABELED, **options):
    options = {
        "settings": SHORT,
        "value_range": (-12, 12),
        # It is traced quickly.
        "noise": keras.layers.GaussianNoise(0.1, seed=0),
        "class_names": NAMES,
        "test_data": TEST,
        "truth": TRUTH[20:260],
        "verbose": 0,
        **options,
    }
    return fit_noisy_student(
        model or pretrained(), labeled, UNLABELED, **options
    )


@functools.cache
def usual_run():
    return run(baseline=True)


def test_all_rungs_learn_several_labels():
    model, report = usual_run()
    details = report.to_dict()
    phases = details["phases"]
    assert [(each["name"], each["steps"]) for each in phases] == [
        ("linear probe", 0),
        ("self-training", 0),
        ("fine-tuning on labels", 4),
        ("fine-tuning", 4),
    ]
    probe, self_trained, *_, last = (
        each["test"]["mean_average_precision"] for each in phases
    )
    assert probe > 0.9 and self_trained > probe and last > probe
    for phase in phases[:2]:
        hidden = phase["cross_validation"]
        assert hidden["num_images"] == 20
        assert hidden["mean_average_precision"] > 0.7
        assert 0.25 <= phase["temperature"] <= 4
    assert phases[1]["choice"]["num_images"] == 20
    pool = phases[1]["pool"]
    assert pool["num_images"] == 240 and pool["class_shares"] is None
    labels = phases[-1]["pseudo_labels"]
    assert labels["accuracy"] > 0.8 and 0 < labels["mask_ratio"] <= 1
    # The model gives what was measured.
    yes = model.predict(TEST[0], verbose=0)
    right = ((yes > 0.5) == TEST[1]).mean()
    kept = phases[-1]
    assert right == pytest.approx(kept["test"]["accuracy"])
    assert details["data"]["several_labels"]


def test_the_baseline_is_compared_by_precision():
    _, report = usual_run()
    details = report.to_dict()
    before, after = (
        part["test"]["mean_average_precision"]
        for part in (details["baseline"], details["phases"][-1])
    )
    verdict = details["verdict"]
    assert verdict["split"] == "test" and verdict["kept"] == "student"
    assert verdict["difference"] == pytest.approx(after - before)
    assert details["baseline"]["steps"] == 8


def test_the_report_in_words_and_files(tmp_path):
    model, report = usual_run()
    text = " ".join(str(report).split())
    for expected in (
        "cross-validation mAP",
        "made the hidden labels of 20 images",
        "points of mAP over labels alone",
    ):
        assert expected in text
    report.save(tmp_path)
    with open(tmp_path / "pseudo_labels.csv") as file:
        rows = list(csv.DictReader(file))
    yes = model.predict(UNLABELED, verbose=0)
    assert len(rows) == 240
    for row, probabilities in zip(rows, yes, strict=True):
        true = [n for n, p in zip(NAMES, probabilities, strict=True) if p > 0.5]
        assert row["labels"] == (";".join(true) or "none")
    assert keras.saving.load_model(tmp_path / "model.keras")
    assert "sea" in (tmp_path / "index.html").read_text()


def test_without_images_to_measure_labels_are_examined_in_turn():
    _, report = run(test_data=None, time_limit=0.01)
    details = report.to_dict()
    assert [each["name"] for each in details["phases"]] == [
        "linear probe",
        "self-training",
    ]
    examined = details["examined"]
    assert examined["split"] == "cross-validation"
    assert np.sum(examined["confusion"]) == 20 * 4
    found = [each["num_images"] for each in examined["recalls"]]
    assert found == TRUTH[:20].sum(axis=0).tolist()
    text = " ".join(str(report).split())
    assert "mAP" in text and "yes or no to each" in text


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_a_compiled_model_keeps_its_loss(activation):
    model, report = run(pretrained(activation, compiled=True))
    details = report.to_dict()
    assert model.loss.from_logits is (activation is None)
    outputs = model.predict(TEST[0], verbose=0)
    decided = outputs > (0.5 if activation else 0)
    measured = details["phases"][-1]["test"]
    assert (decided == TEST[1]).mean() == pytest.approx(measured["accuracy"])
    assert measured["mean_average_precision"] > 0.9


def test_validation_images_calibrate_the_student():
    model, report = run(validation_data=VALIDATION)
    last = report.to_dict()["phases"][-1]
    assert 0.25 <= last["temperature"] <= 4
    yes = model.predict(TEST[0], verbose=0)
    of_truth = np.where(TEST[1], yes, 1 - yes)
    loss = -np.log(np.maximum(of_truth, 1e-7)).mean()
    assert loss == pytest.approx(last["test"]["loss"], rel=1e-3)


class Killed(Exception):
    pass


def test_a_killed_run_ends_with_the_same_weights(tmp_path):
    def kill(epoch, logs=None):
        if epoch == 3:
            raise Killed

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=kill)]
    with pytest.raises(Killed):
        run(backup_dir=tmp_path, callbacks=callbacks)
    model, _ = run(backup_dir=tmp_path)
    expected, _ = run()
    for weight, same in zip(
        model.get_weights(), expected.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, same)


def test_a_label_of_one_image_and_one_of_all():
    labels = TRUTH[:20].copy()
    labels[:, 2], labels[:, 3] = 0, 1
    labels[5, 2] = 1
    model, report = run(labeled=(IMAGES[:20], labels), truth=None)
    phase = report.to_dict()["phases"][1]
    assert phase["cross_validation"]["num_images"] == 20
    assert np.isfinite(model.predict(TEST[0], verbose=0)).all()


def test_settings_of_a_model_that_comes_trained():
    settings = recommend(
        pretrained(), LABELED, UNLABELED, value_range=(-12, 12)
    )
    assert settings.pretrained and not settings.balanced
    assert "ends with a `Dense` layer" in settings.why["pretrained"]
    assert settings.validation_split == 0


def test_it_may_still_be_trained_as_a_new_model():
    new = {"supervised_steps": 2, "student_steps": 2, "steps_per_epoch": 2}
    _, report = run(settings={"pretrained": False, **new}, baseline=True)
    details = report.to_dict()
    probe = details["linear_probe"]
    assert probe["test"]["mean_average_precision"] > 0.9
    found = details["verdict"]["linear_probe"]
    assert found is None or found["accuracy"] > 0.5
    assert "linear probe" in str(report)
