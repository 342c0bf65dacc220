"""What `fit_noisy_student` reaches by its defaults, beside labels alone.

    python tests/benchmarks/fit_noisy_student.py --seeds 5 --first-seed 300

Digits of scikit-learn, enlarged to 16 pixels; 50 labels, 1,150 unlabelled
images, 597 to test on. The baseline sees the same 50 labels, under the same
augmentation, in as many steps. Nothing is chosen on the test images.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

import keras_fewlabels as kfl


def build_student():
    inputs = keras.Input((16, 16, 1))
    x = convolution(layers.Rescaling(1 / 255)(inputs), 16, strides=2)
    for width in (32, 64):
        x = layers.MaxPooling2D()(convolution(x, width))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def convolution(x, width, strides=1):
    x = layers.Conv2D(
        width, 3, strides=strides, padding="same", use_bias=False
    )(x)
    # Short trainings: with the default of 0.99 the initial variance stays.
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--num-labels", type=int, default=50)
    arguments = parser.parse_args()
    digits = load_digits()
    images = keras.ops.image.resize(
        digits.images[..., None] * (255 / 16), (16, 16), "bicubic"
    )
    images = np.clip(np.round(images), 0, 255).astype("uint8")
    accuracies = {"labels alone": [], "supervised phase": [], "student": []}
    for seed in range(
        arguments.first_seed, arguments.first_seed + arguments.seeds
    ):
        labeled, unlabeled, test = kfl.data.split_labels(
            images,
            digits.target,
            arguments.num_labels,
            1200 - arguments.num_labels,
            seed=seed,
        )
        _, report = kfl.loops.fit_noisy_student(
            build_student,
            labeled,
            unlabeled,
            test_data=test,
            baseline=True,
            seed=seed,
            verbose=0,
        )
        details = report.to_dict()
        measured = [details["baseline"], *details["phases"]]
        for values, phase in zip(accuracies.values(), measured, strict=True):
            values.append(100 * phase["test"]["accuracy"])
        print(f"seed {seed}\n{report}\n", flush=True)
    for name, values in accuracies.items():
        spread = np.std(values, ddof=1) if len(values) > 1 else float("nan")
        print(f"{name:18s}{np.mean(values):6.1f} +- {spread:.1f} %")


if __name__ == "__main__":
    main()
