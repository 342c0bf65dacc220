"""CIFAR-10 with 5,000 labels: one call, and a report of the gain.

    python examples/cifar10_platform.py                     # downloads it
    python examples/cifar10_platform.py --file cifar10.npz  # has x and y

A MobileNet learns from scratch on 32 pixels: first from 5,000 labelled images,
then with 20,000 more whose labels it never sees. A tutorial of a closed
platform uses the same split and network, and goes from 44 to 56 %.

In the end the folder `--report` has a report with plots. A run that is stopped
and started again with the same `--backup` goes on where it was.
"""

import argparse
import os


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--file", help="an .npz file with x and y")
    parser.add_argument("--num-labeled", type=int, default=5_000)
    parser.add_argument("--num-unlabeled", type=int, default=20_000)
    parser.add_argument("--num-test", type=int, default=5_000)
    parser.add_argument("--supervised-steps", type=int, default=4_000)
    parser.add_argument("--student-steps", type=int, default=10_000)
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backup", metavar="DIR")
    parser.add_argument("--report", metavar="DIR", default="report")
    return parser.parse_args()


if __name__ == "__main__":
    # Before the imports that take seconds.
    parse_arguments()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

import keras_fewlabels as kfl

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def load_cifar10(file):
    if file is None:
        (x, y), _ = keras.datasets.cifar10.load_data()
        return x, y.reshape(-1).astype("int64")
    with np.load(file) as arrays:
        return arrays["x"], arrays["y"].reshape(-1).astype("int64")


def build_student():
    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = keras.applications.MobileNet(
        input_shape=(32, 32, 3), include_top=False, weights=None, pooling="avg"
    )(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def main():
    arguments = parse_arguments()
    x, y = load_cifar10(arguments.file)
    order = np.random.default_rng(0).permutation(len(x))
    sizes = arguments.num_labeled, arguments.num_unlabeled, arguments.num_test
    labeled, unlabeled, test, _ = np.split(order, np.cumsum(sizes))
    _, report = kfl.loops.fit_noisy_student(
        build_student,
        labeled=(x[labeled], y[labeled]),
        unlabeled=x[unlabeled],
        test_data=(x[test], y[test]),
        settings={
            "supervised_steps": arguments.supervised_steps,
            "student_steps": arguments.student_steps,
            "unlabeled_ratio": 3,
        },
        baseline=arguments.baseline,
        truth=y[unlabeled],
        class_names=CLASSES,
        time_limit=float("inf"),  # it takes one and a half hours
        backup_dir=arguments.backup,
        seed=arguments.seed,
        verbose=2,
    )
    print(report)
    report.save(arguments.report)
    print(
        f"\n{arguments.report}: index.html has the plots, model.keras the model"
    )


if __name__ == "__main__":
    main()
