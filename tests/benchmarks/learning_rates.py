"""Compares suggested learning rates with a grid of rates.

    python tests/benchmarks/learning_rates.py

Three models learn the digits of scikit-learn, from 1,000 training images; the
others are test images. Each model is trained for 10 epochs with the suggestion
of `find_learning_rate`, and with seven rates from 1e-5 to 10, for three seeds.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

import keras_fewlabels as kfl
from results import add_output, write_results

GRID = np.logspace(-5, 1, 7)
BEST = "best of the grid, %"


def dense():
    stack = [layers.Flatten(), layers.Dense(64, activation="relu")]
    return stack, keras.optimizers.Adam


def convolutional():
    stack = []
    for width in (16, 32):
        stack += [
            layers.Conv2D(width, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
        ]
    return [*stack, layers.Flatten()], keras.optimizers.Adam


def with_momentum():
    stack = [
        layers.Conv2D(16, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ]
    return stack, lambda rate: keras.optimizers.SGD(rate, momentum=0.9)


def build(make, seed, rate):
    keras.utils.set_random_seed(seed)
    stack, optimizer = make()
    model = keras.Sequential([keras.Input((8, 8, 1)), *stack])
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--first-seed", type=int, default=0)
    add_output(parser)
    arguments = parser.parse_args()
    first_seed = arguments.first_seed
    rows = []
    digits = load_digits()
    images = (digits.images[..., None] / 16).astype("float32")
    print(f"{'':15}{'seed':>5}{'suggestion':>12}{'test':>7}   grid 1e-5 ... 10")
    for make in (dense, convolutional, with_momentum):
        rows.append({"": make.__name__, "suggestion, %": [], BEST: []})
        for seed in range(first_seed, first_seed + 3):
            order = np.random.default_rng(seed).permutation(len(images))
            train, test = order[:1000], order[1000:]

            def accuracy(rate, seed=seed, train=train, test=test, make=make):
                model = build(make, seed, rate)
                x, y = images[train], digits.target[train]
                model.fit(x, y, 32, epochs=10, verbose=0)
                x, y = images[test], digits.target[test]
                return 100 * model.evaluate(x, y, verbose=0)[1]

            finder = kfl.loops.find_learning_rate(
                build(make, seed, 1e-3),
                images[train],
                digits.target[train],
                max_rate=10.0,
            )
            tried = [accuracy(rate) for rate in GRID]
            suggested = accuracy(finder.suggestion)
            rows[-1]["suggestion, %"].append(suggested)
            rows[-1][BEST].append(max(tried))
            grid = " ".join(f"{each:.1f}" for each in tried)
            print(
                f"{make.__name__:15}{seed:5}{finder.suggestion:12.2g}"
                f"{suggested:7.1f}   {grid}",
                flush=True,
            )
    write_results(
        arguments.output,
        "Suggested learning rates",
        "Test accuracy of three models of digits after ten epochs with the "
        "rate that `find_learning_rate` suggests, and with the best of seven "
        "rates from 1e-5 to 10, chosen afterwards on the test images.",
        rows,
        range(first_seed, first_seed + 3),
    )


if __name__ == "__main__":
    main()
