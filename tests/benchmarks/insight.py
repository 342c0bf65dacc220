"""Measures the gain of the audit and of the proposals.

    python tests/benchmarks/insight.py audit --seeds 5 --first-seed 700
    python tests/benchmarks/insight.py next --seeds 5 --first-seed 700

The images are the digits of scikit-learn, enlarged to 16 pixels: 50 labelled,
1,150 unlabelled, and 597 test images. The reported seeds decided nothing.

`audit` labels the 1,150 images with a network trained on the 50 labels, and
with a noisy student. It prints the share of wrong labels among the 100 that
the audit ranks first, and among all.

`next` labels 20 more images, the proposed ones or random ones, and trains anew
on all 70, three times each (with three random choices). It prints the test
accuracies.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

import keras_fewlabels as kfl
from results import add_output, add_seeds, seeds_of, write_results


def load(seed, num_labels=50):
    digits = load_digits()
    images = keras.ops.image.resize(
        digits.images[..., None] * (255 / 16), (16, 16), "bicubic"
    )
    images = np.clip(np.round(images), 0, 255).astype("uint8")
    # The labels of unlabelled images serve to measure only.
    numbers = np.arange(len(images)).reshape(-1, 1, 1, 1)
    parts = kfl.data.split_labels(
        numbers, digits.target, num_labels, 1200 - num_labels, seed=seed
    )
    chosen = (part.ravel() for part in (parts[0][0], parts[1], parts[2][0]))
    return [(images[part], digits.target[part]) for part in chosen]


def build_student():
    """Returns a network of three convolutions."""
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
    # In a short training, the default of 0.99 keeps the initial statistics.
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def trained(images, labels, seed, steps=400):
    """Returns a network trained on labels, under small shifts and turns."""
    keras.utils.set_random_seed(seed)
    student = build_student()
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
            layers.RandomRotation(0.04, fill_mode="constant"),
            student,
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-3),
        "sparse_categorical_crossentropy",
    )
    rng = np.random.default_rng(seed)
    num_passes = -(-32 * steps // len(images))
    order = np.concatenate(
        [rng.permutation(len(images)) for _ in range(num_passes)]
    )[: 32 * steps]
    model.fit(images[order], labels[order], 32, shuffle=False, verbose=0)
    return student


def accuracy(model, images, labels):
    found = model.predict(images, batch_size=256, verbose=0).argmax(axis=1)
    return 100 * np.mean(found == labels)


def audit(seed):
    labeled, (unlabeled, truth), _ = load(seed)
    noisy_student, _ = kfl.loops.fit_noisy_student(
        build_student,
        labeled,
        unlabeled,
        time_limit=float("inf"),
        seed=seed,
        verbose=0,
        settings={"supervised_steps": 500, "student_steps": 600},
    )
    models = {
        "labels alone": trained(*labeled, seed, 600),
        "noisy student": noisy_student,
    }
    row = {}
    for name, model in models.items():
        report = kfl.evaluation.audit_pseudo_labels(
            model, labeled, unlabeled, verbose=0
        )
        wrong = report.labels != truth[report.indices]
        row[f"{name}: wrong of all, %"] = 100 * wrong.mean()
        row[f"{name}: wrong of the first 100, %"] = 100 * wrong[:100].mean()
        row[f"{name}: ratio"] = wrong[:100].mean() / wrong.mean()
    return row


def propose(seed):
    (images, labels), (unlabeled, truth), test = load(seed)
    model = trained(images, labels, seed, 600)
    proposals = kfl.evaluation.next_to_label(
        model, (images, labels), unlabeled, count=20, verbose=0
    )

    def accuracies(choices):
        for number, chosen in enumerate(choices):
            more = np.concatenate([images, unlabeled[chosen]])
            model = trained(
                more, np.concatenate([labels, truth[chosen]]), seed + number
            )
            yield accuracy(model, *test)

    rng = np.random.default_rng(seed)
    random = [rng.choice(len(unlabeled), 20, False) for _ in range(3)]
    proposed = np.mean(list(accuracies([proposals.indices] * 3)))
    chance = np.mean(list(accuracies(random)))
    return {
        "50 labels, %": accuracy(model, *test),
        "and 20 at random, %": chance,
        "and 20 proposed, %": proposed,
        "difference": proposed - chance,
    }


MEASURES = {"audit": audit, "next": propose}
TITLES = {
    "audit": "Wrong pseudo-labels that the audit finds",
    "next": "What 20 proposed labels bring",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("measure", choices=list(MEASURES))
    add_seeds(parser)
    add_output(parser)
    arguments = parser.parse_args()
    rows = []
    for seed in seeds_of(arguments):
        rows.append(MEASURES[arguments.measure](seed))
        figures = ", ".join(f"{k} {v:.2f}" for k, v in rows[-1].items())
        print(f"seed {seed}: {figures}", flush=True)
    for name in rows[0]:
        values = [row[name] for row in rows]
        spread = np.std(values, ddof=1) if len(values) > 1 else float("nan")
        print(f"{name:40s}{np.mean(values):7.2f} +- {spread:.2f}")
    write_results(
        arguments.output,
        TITLES[arguments.measure],
        "Digits with 50 labels, 1,150 unlabelled and 597 test images.",
        [{"": name, "figure": [row[name] for row in rows]} for name in rows[0]],
        seeds_of(arguments),
    )


if __name__ == "__main__":
    main()
