"""Train, let a person label what is proposed, and train again."""

import csv
import pathlib

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import keras_fewlabels as kfl
from keras_fewlabels.data.review import image_rows, write_image_table
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.loops.noisy_student.phases.fine_tuning import FineTuning

DIGITS = load_digits()
PER_ROUND, NUM_ROUNDS = 20, 3
SEEDS = range(3)
NUM_POOL, NUM_TEST = 200, 300


def folders_of(root, seed, num_pool):
    """Writes two digits of each class, a pool and test images as files."""
    order = np.random.default_rng(seed).permutation(len(DIGITS.target))
    known = np.concatenate(
        [order[DIGITS.target[order] == number][:2] for number in range(10)]
    )
    rest = order[~np.isin(order, known)]
    parts = {
        "labeled": known,
        "pool": rest[:num_pool],
        "test": rest[-NUM_TEST:],
    }
    for part, indices in parts.items():
        for index in indices:
            name = f"{DIGITS.target[index]}"
            # Only the test plays the person, who sees the class.
            folder = root / part / (name if part != "pool" else "")
            folder.mkdir(parents=True, exist_ok=True)
            image = 15 * DIGITS.images[index][..., None]
            keras.utils.save_img(folder / f"{index}.png", image, scale=False)
    return kfl.data.load_image_folders(
        root / "labeled",
        root / "pool",
        test=root / "test",
        color_mode="grayscale",
        verbose=0,
    )


def truth_of(path):
    return DIGITS.target[int(pathlib.Path(path).stem)]


def backbone():
    """A network that comes trained: its features are the pixels."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Dense(64, kernel_initializer="identity"),
            keras.layers.Dense(10),
        ]
    )
    model.set_weights([weight + 1e-3 for weight in model.get_weights()])
    return model


def fit(model, folders, seed):
    return kfl.loops.fit_noisy_student(
        model,
        **folders.arguments(),
        noise=keras.layers.Identity(),
        seed=seed,
        verbose=0,
    )


def propose(model, folders, folder, seed):
    kfl.evaluation.next_to_label(
        model,
        folders.labeled,
        folders.unlabeled,
        count=PER_ROUND,
        class_names=folders.class_names,
        verbose=0,
    ).save(folder)


def draw(model, folders, folder, seed):
    """Proposes images at random."""
    pool = folders.unlabeled
    drawn = np.random.default_rng(seed).permutation(len(pool))[:PER_ROUND]
    rows = image_rows(image_source(pool), drawn, pool[drawn])
    folder.mkdir()
    write_image_table(
        folder / "to_label.csv", [{"label": "", **row} for row in rows]
    )


def fill_in(file):
    """Labels what is in a file of proposals by the truth."""
    with open(file, newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    for row in rows:
        row |= {
            "label": truth_of(row["path"]),
            "answered_by": "Ada",
            "answered_at": "2026-11-29T12:00:00Z",
        }
    write_image_table(file, rows)


def cycle(root, seed, choose, num_pool=NUM_POOL):
    """Returns the test accuracies of all rounds, and the last folders."""
    folders, model = folders_of(root, seed, num_pool), backbone()
    accuracies = []
    for number in range(NUM_ROUNDS + 1):
        # The run starts from the model before.
        model, report = fit(model, folders, seed)
        last = report.to_dict()["phases"][-1]
        accuracies.append(last["test"]["accuracy"])
        if number < NUM_ROUNDS:
            folder = root / f"round {number}"
            choose(model, folders, folder, seed)
            fill_in(folder / "to_label.csv")
            folders = folders.with_labels(folder / "to_label.csv")
    return accuracies, folders, model


@pytest.fixture(autouse=True)
def no_fine_tuning(monkeypatch):
    left_out = {"left_out": "heads learn in a second"}
    monkeypatch.setattr(FineTuning, "train", lambda *_: left_out)


def test_three_rounds_from_two_labels_per_class(tmp_path):
    accuracies, folders, model = cycle(tmp_path, 0, propose)
    assert accuracies[-1] > accuracies[0] + 0.05
    images, labels = folders.labeled
    assert len(images) == len(labels) == 20 + NUM_ROUNDS * PER_ROUND
    assert len(folders.unlabeled) == NUM_POOL - NUM_ROUNDS * PER_ROUND
    truth = [truth_of(path) for path in folders.file_paths["labeled"]]
    np.testing.assert_array_equal(labels, truth)
    # Each label is in one file, with the person and the time.
    files = [origin["file"] for origin in folders.origins.values()]
    assert [files.count(file) for file in dict.fromkeys(files)] == [20] * 3
    assert {o["by"] for o in folders.origins.values()} == {"Ada"}
    # Nothing was moved, and labels are not written over.
    assert len(list((tmp_path / "pool").iterdir())) == NUM_POOL
    with pytest.raises(ValueError, match="must not be written over"):
        propose(model, folders, tmp_path / "round 0", 0)


@pytest.mark.slow
def test_proposed_labels_beside_random_ones(tmp_path):
    gains = []
    for seed in SEEDS:
        proposed, drawn = (
            cycle(tmp_path / f"{name} {seed}", seed, choose, 1000)[0]
            for name, choose in (("proposed", propose), ("random", draw))
        )
        # Before the first label both are the same run.
        assert proposed[0] == drawn[0]
        print(f"\n{seed}", np.round(proposed, 3), np.round(drawn, 3))
        gains.append(proposed[-1] - drawn[-1])
    assert np.mean(gains) > 0
