"""Measures what helps FixMatch on digits whose classes are uneven.

    python tests/benchmarks/uneven_classes.py --seeds 3 --most 10

The most frequent class has `--most` labels, the rarest a tenth of that. The
unlabelled images are uneven the same way, from 100 to 10 per class, or
reversed. Test images are at most 50 of each class, and the balanced accuracy
is that of `model.predict()`.
"""

import argparse

import keras
import methods
import numpy as np

import keras_fewlabels as kfl
from results import add_output, add_seeds, seeds_of, write_results

WAYS = {
    "FixMatch": {},
    "class_weight": {},
    "balanced_head": {"balanced_head": True},
    "blank image": {"blank_value": 0.0},
}


def split(labels, seed, most, is_reversed):
    """Returns indices of labelled, unlabelled and test images."""
    random = np.random.default_rng(seed)
    shares = 10.0 ** (-np.arange(10) / 9)
    num_labeled = np.round(most * shares).astype(int)
    num_unlabeled = np.round(100 * shares).astype(int)
    if is_reversed:
        num_unlabeled = num_unlabeled[::-1]
    parts = [], [], []
    for rank, number in enumerate(random.permutation(10)):
        images = random.permutation(np.flatnonzero(labels == number))
        first = num_labeled[rank]
        second = first + num_unlabeled[rank]
        bounds = [(0, first), (first, second), (second, second + 50)]
        for part, (start, end) in zip(parts, bounds, strict=True):
            part.extend(images[start:end])
    return map(np.array, parts)


def balanced_accuracy(name, data, seed, is_reversed, arguments):
    labeled, unlabeled, test = split(
        data.labels, seed, arguments.most, is_reversed
    )
    keras.utils.set_random_seed(seed)
    model = kfl.models.FixMatch(
        data.classifier(),
        noise=data.strong(),
        weak_noise=data.weak(),
        **WAYS[name],
    )
    methods.compiled(model, arguments.steps)
    labels = data.labels[labeled]
    mixed = kfl.data.mix_labeled_unlabeled(
        (data.images[labeled], labels), data.images[unlabeled], 32, 3, seed=seed
    )
    class_weight = None
    if name == "class_weight":
        weights = len(labels) / 10 / np.bincount(labels, minlength=10)
        class_weight = dict(enumerate(weights))
    model.fit(
        mixed,
        epochs=-(-arguments.steps // len(mixed)),
        callbacks=[methods.StopAfter(arguments.steps)],
        class_weight=class_weight,
        verbose=0,
    )
    predictions = model.predict(data.images[test], verbose=0).argmax(axis=1)
    truth = data.labels[test]
    recalls = [np.mean(predictions[truth == c] == c) for c in range(10)]
    return 100 * np.mean(recalls)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_seeds(parser)
    parser.add_argument("--most", type=int, default=10)
    parser.add_argument("--steps", type=int, default=400)
    add_output(parser)
    arguments = parser.parse_args()
    data = methods.Digits(None)
    rows = {name: {"": name} for name in WAYS}
    for is_reversed in (False, True):
        for name in WAYS:
            values = [
                balanced_accuracy(name, data, seed, is_reversed, arguments)
                for seed in seeds_of(arguments)
            ]
            pool = "reversed" if is_reversed else "the same way"
            rows[name][f"pool uneven {pool}, %"] = values
            print(
                f"{name:14s} pool {pool:13s} {np.mean(values):.1f}  "
                f"{np.round(values, 1)}",
                flush=True,
            )
    write_results(
        arguments.output,
        "Uneven classes",
        f"Balanced accuracy on digits with {arguments.most} to "
        f"{max(1, arguments.most // 10)} labels per class and 100 to 10 "
        f"unlabelled images, in {arguments.steps} steps of FixMatch.",
        list(rows.values()),
        seeds_of(arguments),
    )


if __name__ == "__main__":
    main()
