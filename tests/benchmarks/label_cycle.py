"""Measures what labels of proposed images bring, beside those of random ones.

    python tests/benchmarks/label_cycle.py --first-seed 100 --seeds 5

Two digits of each class have labels. In three rounds a classifier is trained
by `fit_noisy_student`, which starts from the one before, and 20 of 1,000
unlabelled images are labelled: those of `next_to_label`, or random ones. The
truth plays the person. Only heads are fitted.
"""

import argparse
import csv
import pathlib
import tempfile

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_fewlabels as kfl
from keras_fewlabels.data.review import image_rows, write_image_table
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.loops.noisy_student.phases.fine_tuning import FineTuning

ABOUT = (
    "Test accuracy in % on 300 handwritten digits of scikit-learn, in three "
    "rounds of 20 labels each, out of 1,000 unlabelled images. "
    "`fit_noisy_student` fits heads alone, to pixels, and starts from the "
    "model before."
)
DIGITS = load_digits()
PER_ROUND, NUM_ROUNDS = 20, 3
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


def without_fine_tuning(*_):
    """Takes the place of a training that would take minutes."""
    return {"left_out": "heads learn in a second"}


def measured(seed, choose):
    """Returns the test accuracies of all rounds of a seed, in percent."""
    with tempfile.TemporaryDirectory() as folder:
        accuracies, *_ = cycle(pathlib.Path(folder), seed, choose, 1000)
    return [100 * accuracy for accuracy in accuracies]


def main():
    # Only here, for the test of three rounds loads this file as well.
    from results import add_output, add_seeds, seeds_of, write_results

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_seeds(parser)
    add_output(parser)
    arguments = parser.parse_args()
    seeds = seeds_of(arguments)
    FineTuning.train = without_fine_tuning
    rows = []
    for name, choose in (("`next_to_label`", propose), ("random", draw)):
        found = [measured(seed, choose) for seed in seeds]
        rounds = zip(*found, strict=True)
        rows.append(
            {
                "labels of": name,
                **{
                    f"{20 + number * PER_ROUND} labels": list(each)
                    for number, each in enumerate(rounds)
                },
            }
        )
        print(rows[-1])
    title = "Three rounds of labels"
    write_results(arguments.output, title, ABOUT, rows, list(seeds))


if __name__ == "__main__":
    main()
