"""Draws memory, step time and traces over hours of training.

    python tests/benchmarks/soak.py [--minutes 120] [--folder soak]

A `NoisyStudentModel` with an averaged teacher learns digits under
`RandAugment` in one long `fit()`, and a `PseudoLabeler` labels them anew
before each epoch. After the first ten minutes, memory should stay within 5 %,
steps should be as fast at the end as at the start, and nothing should be traced
again. `soak.csv` has a row per epoch, and `soak.png` the curves. Run it on an
otherwise idle machine, since other work slows the steps down.
"""

import argparse
import csv
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

import keras_fewlabels as kfl

WARM_UP_MINUTES = 10
BATCH_SIZE, UNLABELED_RATIO = 32, 4
COLUMNS = ("minutes", "mebibytes", "ms_per_step", "traces", "labellings")


@keras.saving.register_keras_serializable("soak")
class TraceCounter(layers.Layer):
    """Returns its input, and counts the traces: only they run `call`."""

    num_traces = 0

    def call(self, inputs):
        TraceCounter.num_traces += 1
        return inputs


class Watch(keras.callbacks.Callback):
    """Writes a row about the process after each epoch, and ends in time."""

    def __init__(self, minutes, labeler, file):
        super().__init__()
        self.minutes = minutes
        self.labeler = labeler
        self.writer = csv.writer(file)
        self.file = file
        self.rows = []

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()
        self.writer.writerow(COLUMNS)

    def on_epoch_begin(self, epoch, logs=None):
        self.steps = []

    def on_train_batch_begin(self, batch, logs=None):
        self.step_start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(time.perf_counter() - self.step_start)

    def on_epoch_end(self, epoch, logs=None):
        minutes = (time.perf_counter() - self.start) / 60
        row = (
            minutes,
            resident_mebibytes(),
            1000 * float(np.median(self.steps)),
            TraceCounter.num_traces,
            len(self.labeler.rounds),
        )
        self.rows.append(row)
        self.writer.writerow(row)
        self.file.flush()
        self.model.stop_training = minutes >= self.minutes


def resident_mebibytes():
    """Returns the memory of this process that is not swapped out (Linux)."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def build_student():
    inputs = keras.Input((16, 16, 1))
    x = TraceCounter()(layers.Rescaling(1 / 255)(inputs))
    for width in (16, 32):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        branch = layers.Conv2D(width, 3, padding="same")(x)
        x = kfl.layers.StochasticDepth(0.2)([x, branch])
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def train(minutes, file):
    """Runs the fit. Returns a row per epoch, and the rounds of labelling."""
    keras.utils.set_random_seed(0)
    digits = load_digits()
    images = keras.ops.image.resize(
        digits.images[..., None] * (255 / 16), (16, 16), "bicubic"
    )
    images = np.clip(keras.ops.convert_to_numpy(images), 0, 255)
    labeled, unlabeled, _ = kfl.data.split_labels(
        images.astype("uint8"), digits.target, 50, 1150
    )
    # Two digits in one image are doubtful, so that their labels change. If
    # no label changed, the labelling would end.
    both = [
        np.maximum(unlabeled, np.roll(unlabeled, shift, axis=0))
        for shift in (1, 2, 3)
    ]
    unlabeled = np.concatenate([unlabeled, *both])
    labeler = kfl.callbacks.PseudoLabeler(
        unlabeled, policy=kfl.policies.FixedThreshold(0.95)
    )
    mixed = kfl.data.mix_labeled_unlabeled(
        labeler.mixed_with(labeled, BATCH_SIZE),
        unlabeled,
        BATCH_SIZE,
        UNLABELED_RATIO,
    )
    model = kfl.models.NoisyStudentModel(
        build_student(),
        kfl.models.EMATeacher(0.99),
        kfl.policies.FixedThreshold(0.9),
        noise=kfl.layers.RandAugment(2, magnitude=3, fill_value=0),
    )
    # The learning rate is constant, for the same reason.
    model.compile(
        keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy"
    )
    watch = Watch(minutes, labeler, file)
    # The time ends before this number of epochs.
    model.fit(mixed, epochs=10**9, callbacks=[labeler, watch], verbose=0)
    return watch.rows, labeler.rounds


def draw(rows):
    minutes, *curves = np.transpose(rows)
    figure, axes = plt.subplots(4, sharex=True, figsize=(8, 9))
    titles = (
        "Memory of the process in MiB",
        "Median step in ms",
        "Traces so far",
        "Labellings so far",
    )
    for axis, values, title in zip(axes, curves, titles, strict=True):
        axis.plot(minutes, values, linewidth=1)
        axis.set_ylim(0, 1.2 * values.max())
        axis.set_title(title, loc="left")
        axis.grid(alpha=0.3)
        axis.axvspan(0, min(WARM_UP_MINUTES, minutes[-1]), alpha=0.1)
    axes[-1].set_xlabel("Minutes; shaded: the first ten do not count")
    figure.tight_layout()
    return figure


def summary(rows):
    """Returns a text on the rows after the first ten minutes."""
    rows = np.array(rows)
    rest = rows[rows[:, 0] >= WARM_UP_MINUTES]
    if len(rest) < 8:
        return "Too few epochs after the first ten minutes to tell"
    _, memory, steps, traces, _ = rest.T
    quarter = len(rest) // 4
    first, last = np.median(steps[:quarter]), np.median(steps[-quarter:])
    return "\n".join(
        [
            f"memory       {memory[0]:.0f} MiB at first, {memory.min():.0f} to "
            f"{memory.max():.0f}, {memory[-1]:.0f} at last: at most "
            f"{100 * (memory.max() / memory[0] - 1):+.1f} % (limit +5 %)",
            f"median step  {first:.2f} ms in the first quarter, {last:.2f} in "
            f"the last: {100 * (last / first - 1):+.1f} %",
            f"traces       {traces[-1] - traces[0]:.0f} new ones (limit 0)",
        ]
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--folder", default="soak")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "soak.csv", "w", newline="") as file:
        rows, rounds = train(arguments.minutes, file)
    draw(rows).savefig(folder / "soak.png", dpi=150)
    print(
        f"{len(rows):,} epochs, {len(rounds):,} labellings, the last of which "
        f"changed {rounds[-1]['changes']:,} labels"
    )
    print(summary(rows))


if __name__ == "__main__":
    main()
