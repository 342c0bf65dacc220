"""Measures what images of other things in the pool do to the heads.

    python tests/benchmarks/mixed_pools.py DATA [--seeds 5 --first-seed 100]

DATA is that of `photographs.py`, whose features are those of the frozen
EfficientNet-Lite0. The pool of unlabelled hands is mixed with photographs of
flowers, waste and steel, that of waste with flowers, and that of digits of five
classes with those of the other five, whose features are pixels. It prints the
test accuracy of a head that learns the labels alone, and of the self-trained
head of `fit_noisy_student`: with a clean pool, with the mixed pool, and with
the images of the mixed pool that do not look foreign.
"""

import argparse
import pathlib
import statistics

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from image_size import features_of
from keras_fewlabels.evaluation.frozen_features.self_training import (
    FeatureClassifier,
)
from keras_fewlabels.evaluation.pool.foreign_images import foreign_images
from keras_fewlabels.loops.noisy_student.phases.heads import SelfTraining
from photographs import backbone_of, load, split
from results import add_output, add_seeds, seeds_of, table, write_results

TITLE = "Pools with images of other things"
ABOUT = (
    "Test accuracy in % of heads on frozen features, with the given share of "
    "foreign images in the pool. *Examined* leaves out those that look "
    "foreign, as `fit_noisy_student` does; AUROC says how well they are told. "
    "*Least* is the least difference of *examined* to *labels alone* in a "
    "seed, and *of the gain* the share of the gain of a clean pool that is "
    "left."
)
PHOTOGRAPHS = "flowers", "trash", "steel"
# Set, labels per class, sets that the foreign images are of, and their share.
CASES = [
    ("hands", 10, PHOTOGRAPHS, 0.25),
    ("hands", 10, PHOTOGRAPHS, 0.5),
    ("hands", 10, PHOTOGRAPHS, 0.75),
    ("trash", 10, ("flowers",), 0.5),
    ("digits", 5, ("other digits",), 0.5),
]


class Data:
    """Features and labels of the sets, computed once."""

    def __init__(self, folder):
        self._folder = folder
        self._build = backbone_of(folder)
        self._known = {}

    def of(self, name, size):
        """Returns features and labels, of photographs at a size."""
        if (name, size) not in self._known:
            self._known[name, size] = self._read(name, size)
        return self._known[name, size]

    def _read(self, name, size):
        if "digits" in name:
            pixels, labels = load_digits(return_X_y=True)
            chosen = labels < 5 if name == "digits" else labels >= 5
            return pixels[chosen].astype("float32"), labels[chosen]
        images, labels, _ = load(self._folder / name, size)
        return features_of(self._build, images, size), labels


def cell(data, case, seed):
    """Returns the accuracies in percent of one seed, and the AUROC."""
    name, per_class, others, share = case
    size = 100 if name == "hands" else 160
    features, labels = data.of(name, size)
    labeled, unlabeled, test = split(labels, per_class, seed)
    pool = features[unlabeled]
    foreign = np.concatenate([data.of(other, size)[0] for other in others])
    count = min(round(share / (1 - share) * len(pool)), len(foreign))
    rng = np.random.default_rng(seed)
    foreign = foreign[rng.choice(len(foreign), count, replace=False)]
    targets = keras.utils.to_categorical(labels[labeled])

    def accuracy(head):
        predicted = head.probabilities(features[test]).argmax(axis=1)
        return 100 * float(np.mean(predicted == labels[test]))

    def classifier(*parts):
        return FeatureClassifier(
            np.concatenate([features[labeled], *parts]), targets
        )

    def trained(*parts):
        return accuracy(SelfTraining().choose(classifier(*parts), seed).head)

    mixed = classifier(pool, foreign)
    found = foreign_images(
        mixed.graph, labels[labeled], len(labeled) + len(pool) + count
    )
    is_foreign = np.arange(len(pool) + count) >= len(pool)
    kept = np.concatenate([pool, foreign])[~found.is_foreign]
    return {
        "labels alone": accuracy(mixed.probe()),
        "clean pool": trained(pool),
        "mixed pool": trained(pool, foreign),
        "examined": trained(kept),
        "AUROC": 100 * float(roc_auc_score(is_foreign, found.scores)),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    add_seeds(parser)
    add_output(parser)
    options = parser.parse_args()
    data, rows = Data(options.data), []
    for case in CASES:
        name, per_class, others, share = case
        cells = [cell(data, case, seed) for seed in seeds_of(options)]
        row = {
            "": f"{name}, {per_class} per class, {100 * share:.0f} % "
            f"{', '.join(others)}"
        }
        row |= {key: [each[key] for each in cells] for key in cells[0]}
        pairs = zip(row["examined"], row["labels alone"], strict=True)
        row["least"] = min(after - before for after, before in pairs)
        alone, clean, kept = (
            statistics.fmean(row[key])
            for key in ("labels alone", "clean pool", "examined")
        )
        row["of the gain, %"] = 100 * (kept - alone) / (clean - alone)
        rows.append(row)
        print(table([row]), flush=True)
    write_results(options.output, TITLE, ABOUT, rows, seeds_of(options))


if __name__ == "__main__":
    main()
