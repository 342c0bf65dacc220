"""CIFAR-10 with and without noise for the teacher and for the student.

    python examples/cifar10_noisy_student.py --file cifar10.npz  # has x and y

This is the original Noisy Student in four variants. A residual network learns
from a few thousand labels, and a new network of the same kind learns from its
pseudo-labels. Noise means augmented images and dropped branches. The table has
the test accuracies of both networks, and that of the student on corrupted test
images (noise, blur, weather, damaged files). Below it is the accuracy of a
network that learned from the labels alone in as many steps. A run that is
stopped and started again with the same `--backup` goes on where it was.
"""

import argparse
import os
import pathlib

# The networks whose images are augmented and whose branches are dropped.
NOISE = ("neither", "teacher", "student", "both")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--file", help="an .npz file with x and y")
    parser.add_argument("--num-labeled", type=int, default=2_000)
    parser.add_argument("--num-unlabeled", type=int, default=10_000)
    parser.add_argument("--num-test", type=int, default=5_000)
    parser.add_argument("--num-corrupted", type=int, default=1_000)
    parser.add_argument(
        "--corruptions", nargs="+", help="by default all of them"
    )
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--noise", nargs="+", choices=NOISE, default=NOISE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backup", metavar="DIR")
    parser.add_argument("--figure", default="cifar10_noisy_student.png")
    return parser.parse_args()


if __name__ == "__main__":
    # Before the imports that take seconds.
    parse_arguments()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

import keras_fewlabels as kfl


def load_cifar10(arguments):
    if arguments.file is None:
        (x, y), _ = keras.datasets.cifar10.load_data()
    else:
        with np.load(arguments.file) as arrays:
            x, y = arrays["x"], arrays["y"]
    num_used = arguments.num_unlabeled + arguments.num_test
    order = np.random.default_rng(arguments.seed).permutation(len(x))
    order = order[: arguments.num_labeled + num_used]
    labeled, unlabeled, (x_test, y_test) = kfl.data.split_labels(
        x[order],
        y[order].reshape(-1),
        arguments.num_labeled,
        arguments.num_unlabeled,
        seed=arguments.seed,
    )
    return labeled, unlabeled, (x_test, y_test)


def build_student():
    """Returns a residual network of three blocks."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(x)
    for width, strides in ((16, 1), (32, 2), (64, 2)):
        x = residual_block(x, width, strides)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def residual_block(x, width, strides):
    shortcut = layers.Conv2D(width, 1, strides)(x)
    branch = x
    for stride in (strides, 1):
        branch = layers.BatchNormalization(momentum=0.9)(branch)
        branch = layers.ReLU()(branch)
        branch = layers.Conv2D(
            width, 3, stride, padding="same", use_bias=False
        )(branch)
    return layers.Add()([shortcut, branch])


def settings_of(noise, num_steps):
    """Returns the settings of the original method with noise for some."""
    return {
        # A new student learns from a teacher that stays as it is.
        "teacher": "frozen",
        "supervised_noise": noise in ("teacher", "both"),
        "student_noise": noise in ("student", "both"),
        "labeled_noise": "strong",
        "supervised_steps": num_steps,
        "student_steps": num_steps,
        "unlabeled_ratio": 1,
        # One strength for all ops, as in the paper. In so few steps
        # its magnitude of 10 would be too much.
        "table": "randaugment",
        "magnitude": 5,
        # As in the paper, branches are dropped, though there are
        # three only, and all but the most doubtful labels count.
        "stochastic_depth": 0.2,
        "threshold": 0.3,
    }


def main():
    arguments = parse_arguments()
    labeled, unlabeled, test = load_cifar10(arguments)
    corrupted = tuple(part[: arguments.num_corrupted] for part in test)
    rows, robustness = [], {}
    for name in arguments.noise:
        print(f"\nNoise for: {name}")
        student, report = kfl.loops.fit_noisy_student(
            build_student,
            labeled,
            unlabeled,
            test_data=test,
            baseline=name == arguments.noise[-1],
            settings=settings_of(name, arguments.steps),
            backup_dir=arguments.backup
            and pathlib.Path(arguments.backup, name),
            time_limit=float("inf"),  # it may take hours
            seed=arguments.seed,
            verbose=2,
        )
        print(report)
        errors = kfl.evaluation.evaluate_corruptions(
            student, *corrupted, arguments.corruptions
        )
        accuracies = [
            phase["test"]["accuracy"] for phase in report.to_dict()["phases"]
        ]
        rows.append((name, *accuracies, errors.mean_corruption_error))
        robustness[name] = 1 - errors.mean_corruption_error

    print("\nnoise for   teacher  student  corrupted")
    for name, teacher, student, error in rows:
        print(f"{name:10s}{teacher:9.1%}{student:9.1%}{1 - error:11.1%}")
    baseline = report.to_dict()["baseline"]["test"]["accuracy"]
    print(f"\nLabels alone, with noise, in as many steps: {baseline:.1%}")
    figure = kfl.plots.comparison(
        robustness, title="Accuracy on corrupted test images"
    )
    figure.savefig(arguments.figure)


if __name__ == "__main__":
    main()
