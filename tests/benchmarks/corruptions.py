"""Measures how fast images are corrupted, and how robust models are.

    python tests/benchmarks/corruptions.py --file cifar10.npz  # has x and y
    python tests/benchmarks/corruptions.py --file cifar10.npz \\
        --models supervised.keras student.keras --figure corruptions.png

The images are corrupted by all 15 corruptions of CIFAR-10-C in 5 severities.
They are the last `--num-images` of the file in the order of `default_rng(0)`,
on which `examples/cifar10_platform.py` tests. Without models the script
measures the cost of the corruptions alone. With models it prints a table for
each. The first model is the baseline of the others. Run it on an otherwise
idle machine.
"""

import argparse
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_fewlabels as kfl
from results import add_output, write_results


def load(file, num_images):
    if file is None:
        (x, y), _ = keras.datasets.cifar10.load_data()
    else:
        with np.load(file) as arrays:
            x, y = arrays["x"], arrays["y"]
    order = np.random.default_rng(0).permutation(len(x))[-num_images:]
    return x[order], y[order].reshape(-1)


def nearly_nothing():
    """Returns a classifier that takes almost no time."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--file", help="an .npz file with x and y")
    parser.add_argument("--num-images", type=int, default=2_000)
    parser.add_argument("--models", nargs="+", metavar="FILE", default=[])
    parser.add_argument("--figure", metavar="FILE")
    add_output(parser)
    arguments = parser.parse_args()
    x, y = load(arguments.file, arguments.num_images)

    start = time.perf_counter()
    kfl.evaluation.evaluate_corruptions(nearly_nothing(), x, y, verbose=0)
    seconds = time.perf_counter() - start
    print(
        f"{15 * 5} x {len(x):,} images: {seconds:.0f} s, "
        f"{15 * 5 * len(x) / seconds:,.0f} images/s"
    )

    reports = {}
    for file in arguments.models:
        first = next(iter(reports.values()), None)
        reports[file] = kfl.evaluation.evaluate_corruptions(
            keras.saving.load_model(file), x, y, baseline=first, verbose=0
        )
        print(f"\n{file}\n{reports[file]}")
    rows = [
        {
            "error, %": pathlib.Path(file).stem,
            "clean": 100 * report.clean_error,
            "mean of 15 corruptions": 100 * report.mean_corruption_error,
        }
        | {name: 100 * each for name, each in report.mean_errors.items()}
        for file, report in reports.items()
    ]
    write_results(
        arguments.output,
        "Robustness on CIFAR-10",
        f"Errors on {len(x):,} images in five severities of each corruption.",
        rows or [{"": "images/s", "figure": 75 * len(x) / seconds}],
    )
    if arguments.figure and reports:
        report = reports.pop(arguments.models[0])
        figure = report.figure(others=reports)
        figure.savefig(arguments.figure, dpi=150)


if __name__ == "__main__":
    main()
