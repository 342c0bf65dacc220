"""Measures the test accuracy of every method and of supervised training.

    python tests/benchmarks/methods.py --seeds 5
    python tests/benchmarks/methods.py --data cifar10 --file cifar10.npz

The data are scikit-learn's digits (20 labels, 1,180 unlabelled images) or
CIFAR-10 (400 labels, 20,000 unlabelled images). The test images of CIFAR-10
are the same for every seed: those of Keras, or the last 5,000 of an `.npz` file
with `x` and `y`.

All runs of a seed see the same labelled images, in as many steps and with as
many labelled images per step. These images are augmented strongly, but weakly
in `supervised_weak` and in the methods whose papers do so, unless
`--labeled-noise strong`. The teacher of `NoisyStudent` takes a third of the
steps, and its student goes on from the teacher. The loop `fit_noisy_student`
does the same.

The test images decide nothing. `--validate` measures CIFAR-10 on other images.
The policies are those of the papers, except for the momentum of their moving
averages: 0.999 suits runs that are a thousand times longer. `--momentum` sets
it.
"""

import argparse
import os
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

import keras_fewlabels as kfl
from keras_fewlabels.models.methods import augmented_views
from results import add_output, add_seeds, seeds_of, write_results

# These ops do not turn one digit into another.
DIGIT_OPS = (
    "identity",
    "rotate",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
)
SHIFTS = ("translate_x", "translate_y")
AVERAGING_POLICIES = {
    "ReMixMatch": lambda momentum: kfl.policies.DistributionAlignment(
        kfl.policies.FixedThreshold(0, soft=True, temperature=0.5),
        momentum=momentum,
    ),
    "FreeMatch": kfl.policies.FreeMatchPolicy,
    "SoftMatch": kfl.policies.SoftMatchPolicy,
    "AdaMatch": kfl.policies.AdaMatchPolicy,
}
METHODS = (
    "supervised",
    "supervised_weak",
    "NoisyStudent",
    "MeanTeacher",
    "UDA",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "SoftMatch",
    "AdaMatch",
    "MixMatch",
    "ReMixMatch",
    "fit_noisy_student",
)


class Digits:
    num_labels, num_unlabeled = 20, 1180

    def __init__(self, file):
        digits = load_digits()
        images = keras.ops.image.resize(
            digits.images[..., None] * (255 / 16), (16, 16), "bicubic"
        )
        images = keras.ops.convert_to_numpy(images)
        self.images = np.clip(np.round(images), 0, 255).astype("uint8")
        self.labels = digits.target
        self.test = None  # The images that a split leaves.

    def strong(self):
        return kfl.layers.RandAugment(2, 5, ops=DIGIT_OPS, fill_value=0)

    def weak(self):
        return kfl.layers.RandAugment(2, 1.5, ops=SHIFTS, fill_value=0)

    def classifier(self):
        """Returns a network of three convolutions."""
        inputs = keras.Input((16, 16, 1))
        x = layers.Rescaling(1 / 255)(inputs)
        for width, strides in ((16, 2), (32, 1), (64, 2)):
            x = layers.ReLU()(convolution(x, width, strides))
        x = layers.Dropout(0.3)(layers.Flatten()(x))
        return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


class CIFAR10:
    num_labels, num_unlabeled = 400, 20_000

    def __init__(self, file):
        if file is None:
            train, test = keras.datasets.cifar10.load_data()
        else:
            with np.load(file) as arrays:
                images, labels = arrays["x"], arrays["y"]
            train = images[:-5000], labels[:-5000]
            test = images[-5000:], labels[-5000:]
        self.images, self.labels = train[0], train[1].reshape(-1)
        self.test = test[0], test[1].reshape(-1)

    def strong(self):
        return augmented_views.strong_view((0, 255))

    def weak(self):
        return augmented_views.weak_view((0, 255))

    def classifier(self):
        """Returns a residual network of ten layers."""
        inputs = keras.Input((32, 32, 3))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = convolution(x, 16)
        for width, strides in ((16, 1), (32, 2), (64, 2)):
            shortcut = layers.Conv2D(width, 1, strides)(x)
            x = convolution(layers.ReLU()(x), width, strides)
            x = convolution(layers.ReLU()(x), width)
            x = layers.Add()([x, shortcut])
        x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
        return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


class StopAfter(keras.callbacks.Callback):
    """Ends a fit after a number of steps, also within an epoch."""

    def __init__(self, num_steps):
        super().__init__()
        self.num_steps = num_steps

    def on_train_begin(self, logs=None):
        self.num_done = 0

    def on_train_batch_end(self, batch, logs=None):
        self.num_done += 1
        self.model.stop_training = self.num_done >= self.num_steps


def convolution(x, width, strides=1):
    x = layers.Conv2D(
        width, 3, strides=strides, padding="same", use_bias=False
    )(x)
    # In a short training, the default of 0.99 keeps the initial statistics.
    return layers.BatchNormalization(momentum=0.9)(x)


def compiled(model, num_steps):
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, num_steps)
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-3),
        "sparse_categorical_crossentropy",
    )
    return model


def train(name, data, labeled, unlabeled, arguments, num_steps):
    """Returns a trained classifier."""
    if name == "fit_noisy_student":
        return fit_noisy_student(data, labeled, unlabeled, arguments, num_steps)
    student = data.classifier()
    if name in ("supervised", "supervised_weak"):
        view = data.strong() if name == "supervised" else data.weak()
        model = keras.Sequential([view, student])
        order = np.random.default_rng(0).integers(
            len(labeled[0]), size=num_steps * arguments.batch_size
        )
        compiled(model, num_steps).fit(
            *(part[order] for part in labeled),
            batch_size=arguments.batch_size,
            verbose=0,
        )
        return student
    views = {"noise": data.strong(), "weak_noise": data.weak()}
    if arguments.labeled_noise == "strong":
        views["labeled_noise"] = None
    if name == "NoisyStudent":
        teacher_steps = num_steps // 3
        teacher = train(
            "supervised", data, labeled, None, arguments, teacher_steps
        )
        student.set_weights(teacher.get_weights())
        views["teacher"] = teacher
        # As in the paper, an unlabelled image counts as much as a labelled one.
        views["unlabeled_weight"] = arguments.unlabeled_ratio
        num_steps -= teacher_steps
    if name == "MixMatch":
        views["noise"] = data.weak()
    if name in AVERAGING_POLICIES:
        policy = AVERAGING_POLICIES[name](momentum=arguments.momentum)
        views["policy"] = policy
    model = compiled(getattr(kfl.models, name)(student, **views), num_steps)
    # As in their papers, these two see several views of each image instead.
    ratio = 1 if name.endswith("MixMatch") else arguments.unlabeled_ratio
    mixed = kfl.data.mix_labeled_unlabeled(
        labeled, unlabeled, arguments.batch_size, ratio
    )
    epochs = -(-num_steps // len(mixed))
    callbacks = [StopAfter(num_steps)]
    model.fit(mixed, epochs=epochs, callbacks=callbacks, verbose=0)
    return student


def fit_noisy_student(data, labeled, unlabeled, arguments, num_steps):
    """Runs the loop with its own settings, except for those of all methods."""
    supervised_steps = num_steps // 3
    model, _ = kfl.loops.fit_noisy_student(
        data.classifier,
        labeled,
        unlabeled,
        settings={
            "batch_size": arguments.batch_size,
            "unlabeled_ratio": arguments.unlabeled_ratio,
            "supervised_steps": supervised_steps,
            "student_steps": num_steps - supervised_steps,
            "validation_split": 0,
            "train_on_validation": False,
        },
        noise=data.strong(),
        weak_noise=data.weak(),
        time_limit=float("inf"),
        seed=random.getrandbits(31),
        verbose=0,
    )
    return model


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_seeds(parser)
    parser.add_argument(
        "--data", choices=("digits", "cifar10"), default="digits"
    )
    parser.add_argument("--file")
    parser.add_argument("--num-labels", type=int)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--unlabeled-ratio", type=int, default=7)
    parser.add_argument(
        "--labeled-noise", choices=("paper", "strong"), default="paper"
    )
    parser.add_argument("--momentum", type=float, default=0.99)
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--validate", action="store_true")
    add_output(parser)
    arguments = parser.parse_args()
    data = {"digits": Digits, "cifar10": CIFAR10}[arguments.data](
        arguments.file
    )
    if arguments.validate and data.test is None:
        parser.error("--validate needs test images that no split touches.")
    accuracies = {name: [] for name in arguments.methods}
    for seed in seeds_of(arguments):
        labeled, unlabeled, rest = kfl.data.split_labels(
            data.images,
            data.labels,
            arguments.num_labels or data.num_labels,
            data.num_unlabeled,
            seed=seed,
        )
        x, y = rest if arguments.validate or data.test is None else data.test
        for name, values in accuracies.items():
            keras.utils.set_random_seed(seed)
            student = train(
                name, data, labeled, unlabeled, arguments, arguments.steps
            )
            predictions = student.predict(x, verbose=0).argmax(axis=1)
            values.append(100 * np.mean(predictions == y))
            print(f"seed {seed}  {name:17s} {values[-1]:.1f}", flush=True)
    measured = "validation" if arguments.validate else "test"
    print(f"\n{'method':17s} {measured} accuracy, mean +- spread [%]")
    for name, values in accuracies.items():
        spread = np.std(values, ddof=1) if len(values) > 1 else float("nan")
        print(f"{name:17s} {np.mean(values):.1f} +- {spread:.1f}")
    rows = [
        {"": f"`{name}`", f"{measured} accuracy, %": values}
        for name, values in accuracies.items()
    ]
    num_labels = arguments.num_labels or data.num_labels
    write_results(
        arguments.output,
        f"Every method on {arguments.data}, {num_labels} labels",
        f"{data.num_unlabeled:,} unlabelled images. All methods take "
        f"{arguments.steps:,} steps of {arguments.batch_size} labelled images; "
        "`supervised` learns the labels alone under strong noise, and "
        "`supervised_weak` under weak noise. The papers train for a million "
        "steps.",
        rows,
        seeds_of(arguments),
    )


if __name__ == "__main__":
    main()
