"""Measures what the proposals of `first_to_label` are worth, on photographs.

    python tests/benchmarks/first_to_label.py DATA --first-seed 100 --seeds 5

DATA is the folder of `photographs.py`. There are no labels at first, and 4 per
class on average are given: to the images that `first_to_label` proposes, or to
images drawn at random, five times. A logistic regression then learns from the
frozen features of these images. A quarter of each set is for the test.
"""

import argparse
import pathlib

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

import keras_fewlabels as kfl
from photographs import PREPROCESSING, backbone_of, load
from results import add_output, add_seeds, seeds_of, table, write_results

ABOUT = (
    "Test accuracy in % of a logistic regression on frozen features of "
    "EfficientNet-Lite0, with 4 labels per class on average: of the images "
    "that `first_to_label` proposes, and of images drawn at random (mean of "
    "five draws)."
)
PER_CLASS, NUM_DRAWS = 4, 5


def feature_network(build, size):
    """Returns the backbone with its preprocessing inside."""
    scale, offset = PREPROCESSING
    images = keras.Input((size, size, 3))
    scaled = keras.layers.Rescaling(scale, offset)(images)
    return keras.Model(images, build((size, size, 3), pooling="avg")(scaled))


def measured(network, images, labels, features, seed):
    """Returns the accuracies with proposals and with random images."""
    rng = np.random.default_rng(seed)
    test, pool = np.split(rng.permutation(len(labels)), [len(labels) // 4])
    count = PER_CLASS * (labels.max() + 1)

    def accuracy(chosen):
        head = LogisticRegression(C=30, max_iter=1000)
        head.fit(features[chosen], labels[chosen])
        return 100 * head.score(features[test], labels[test])

    proposals = kfl.evaluation.first_to_label(
        images[pool], count, feature_model=network, verbose=0
    )
    drawn = [rng.choice(pool, count, replace=False) for _ in range(NUM_DRAWS)]
    return (
        accuracy(pool[proposals.indices]),
        float(np.mean([accuracy(chosen) for chosen in drawn])),
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument(
        "--sets", nargs="+", default=["flowers", "trash", "hands"]
    )
    add_seeds(parser)
    add_output(parser)
    options = parser.parse_args()
    build, rows = backbone_of(options.data), []
    for name in options.sets:
        size = 100 if name == "hands" else 160
        images, labels, _ = load(options.data / name, size)
        network = feature_network(build, size)
        features = normalize(network.predict(images, batch_size=64, verbose=0))
        found = [
            measured(network, images, labels, features, seed)
            for seed in seeds_of(options)
        ]
        proposed, drawn = (list(each) for each in zip(*found, strict=True))
        worst = min(ours - random for ours, random in found)
        rows.append(
            {
                "set": name,
                "`first_to_label`": proposed,
                "drawn at random": drawn,
                "least difference": worst,
            }
        )
        print(table(rows[-1:]), flush=True)
    write_results(
        options.output,
        "Which images to label first",
        ABOUT,
        rows,
        list(seeds_of(options)),
    )


if __name__ == "__main__":
    main()
