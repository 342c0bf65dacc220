"""Whole runs of `fit_noisy_student` on images with several labels."""

import csv
import functools

import keras
import numpy as np
import pytest

from keras_fewlabels.loops import fit_noisy_student, recommend
from keras_fewlabels.policies import (
    AdaMatchPolicy,
    DistributionAlignment,
    FixedThreshold,
)

# A label says whether a quarter of the image is bright.
RANDOM = np.random.default_rng(0)
TRUTH = (RANDOM.random((260, 4)) < [0.5, 0.4, 0.3, 0.2]).astype("int32")
QUARTERS = TRUTH.reshape(-1, 2, 2, 1).repeat(4, axis=1).repeat(4, axis=2)
IMAGES = 0.5 * QUARTERS + 0.5 * RANDOM.random(QUARTERS.shape)
IMAGES = IMAGES.astype("float32")
LABELED, UNLABELED = (IMAGES[:40], TRUTH[:40]), IMAGES[40:140]
VALIDATION, TEST = (
    (IMAGES[part], TRUTH[part]) for part in (slice(140, 200), slice(200, 260))
)
NAMES = ["upper left", "upper right", "lower left", "lower right"]
SHORT = {
    "supervised_steps": 12,
    "student_steps": 12,
    "steps_per_epoch": 6,
    "batch_size": 8,
    "num_ops": 0,
}


def build(activation="sigmoid"):
    images = keras.Input((8, 8, 1))
    x = keras.layers.AveragePooling2D(2)(images)
    x = keras.layers.Dense(16, "relu")(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.Dense(4, activation)(x))


def fit(build_student=build, **options):
    options = {
        "validation_data": VALIDATION,
        "test_data": TEST,
        "class_names": NAMES,
        "truth": TRUTH[40:140],
        "time_limit": float("inf"),
        "verbose": 0,
        **options,
        "settings": {**SHORT, **options.get("settings", {})},
    }
    return fit_noisy_student(build_student, LABELED, UNLABELED, **options)


@functools.cache
def usual_fit():
    return fit(baseline=True)


def test_the_report_measures_decisions():
    model, report = usual_fit()
    details = report.to_dict()
    yes = model.predict(TEST[0], verbose=0)
    of_image = ((yes > 0.5) == TEST[1]).mean(axis=1)
    verdict = details["verdict"]
    kept = details["baseline" if verdict["kept"] == "baseline" else "phases"]
    measured = (kept[-1] if isinstance(kept, list) else kept)["test"]
    assert measured["accuracy"] == pytest.approx(of_image.mean())
    assert measured["deviation"] == pytest.approx(of_image.std())
    assert 0 < measured["mean_average_precision"] <= 1
    assert verdict["split"] == "validation" and verdict["num_images"] == 60
    before, after = (
        part["validation"]["mean_average_precision"]
        for part in (details["baseline"], details["phases"][-1])
    )
    assert verdict["difference"] == pytest.approx(after - before)
    labels = details["phases"][-1]["pseudo_labels"]
    assert labels["mask_ratio"] == 1 and 0 < labels["accuracy"] <= 1
    assert details["data"]["class_counts"] == TRUTH[:40].sum(axis=0).tolist()
    recalls = details["examined"]["recalls"]
    found = [each["num_images"] for each in recalls]
    assert found == TEST[1].sum(axis=0).tolist()
    # Compiled for what the user has: rows.
    _, accuracy = model.evaluate(*TEST, verbose=0)
    assert accuracy == pytest.approx(of_image.mean(), abs=1e-6)


def test_the_report_in_words_and_files(tmp_path):
    _, report = usual_fit()
    text = str(report)
    for expected in ("test mAP", "each of the 4 labels", "4 labels\n"):
        assert expected in text
    report.save(tmp_path)
    page = (tmp_path / "index.html").read_text()
    card = (tmp_path / "README.md").read_text()
    for content in (page, card):
        assert "% on 60 test images; labels alone " in content
        assert "points of mAP over labels alone" in content
        assert "lower right" in content
    for expected in (
        "Mean average precision after each phase against",
        "Mean average precision in % after each phase",
        "Recall of each label on test images",
        "<dt>labels</dt><dd>4</dd>",
        "Share of decisions that are right",
    ):
        assert expected in page
    assert "not lower right" in page and 'class="matrix"' not in page
    assert "one score per label" in card and "every image one" not in card
    assert not (tmp_path / "confusion_matrix.png").exists()
    assert (tmp_path / "reliability.png").exists()
    assert keras.saving.load_model(tmp_path / "model.keras")
    with open(tmp_path / "pseudo_labels.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    for row in rows:
        yes = [float(row[f"probability of {name}"]) for name in NAMES]
        true = [name for name, p in zip(NAMES, yes, strict=True) if p > 0.5]
        assert row["labels"] == (";".join(true) or "none")
        least = min(max(p, 1 - p) for p in yes)
        assert float(row["confidence"]) == pytest.approx(least, abs=1e-4)


class Killed(Exception):
    pass


def kill_at(epoch):
    def kill(number, logs=None):
        if number == epoch:
            raise Killed

    return [keras.callbacks.LambdaCallback(on_epoch_begin=kill)]


def test_a_killed_run_ends_as_the_other(tmp_path):
    # In the second epoch of the student.
    with pytest.raises(Killed):
        fit(backup_dir=tmp_path, callbacks=kill_at(3))
    model, report = fit(backup_dir=tmp_path)
    expected, other = fit()
    for weight, same in zip(
        model.get_weights(), expected.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, same)
    for part in ("test", "pseudo_labels", "history"):
        found, same = (
            each.to_dict()["phases"][-1][part] for each in (report, other)
        )
        assert found == same


def test_validation_images_are_set_aside():
    _, report = fit(validation_data=None, test_data=None)
    details = report.to_dict()
    assert details["phases"][0]["validation"]["num_images"] == 8
    assert details["examined"] is None


def compiled():
    model = build(activation=None)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


def test_a_compiled_model_of_logits_and_a_policy():
    model, report = fit(compiled, policy=FixedThreshold(0.95))
    details = report.to_dict()
    assert details["data"]["activation"] == "sigmoid"
    assert details["data"]["from_logits"]
    assert model.loss.from_logits
    assert details["phases"][-1]["pseudo_labels"]["mask_ratio"] < 1


def test_settings_for_several_labels():
    settings = recommend(build, LABELED, UNLABELED)
    assert not settings.pretrained and not settings.balanced
    assert settings.threshold == 0
    assert "8 of 40 labelled images, drawn" in settings.why["validation_split"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"settings": {"balanced": True}}, "needs `balanced=False`"),
        ({"policy": AdaMatchPolicy()}, "AdaMatchPolicy compares classes"),
        (
            {"policy": DistributionAlignment(FixedThreshold())},
            "labels need a `prior`",
        ),
        ({"truth": TRUTH[40:140, 0]}, "a column for each label"),
        ({"test_data": (TEST[0], np.full((60, 4), 0.25))}, "hold 0 and 1"),
        ({"build_student": lambda: build("softmax")}, "have several labels"),
        ({"build_student": lambda: build(None)}, "have several labels"),
    ],
    ids=["balanced", "policy", "prior", "truth", "test", "softmax", "linear"],
)
def test_refused_before_training(options, message):
    def train(batch, logs=None):
        raise AssertionError("trained")

    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_begin=train)]
    with pytest.raises(ValueError, match=message):
        fit(callbacks=callbacks, **options)


def test_a_label_that_no_labelled_image_has():
    labels = TRUTH[:40].copy()
    labels[:, 2] = 0
    with pytest.raises(ValueError, match="none of class 2"):
        fit_noisy_student(build, (IMAGES[:40], labels), UNLABELED, verbose=0)
