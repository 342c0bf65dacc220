"""Measures the error on the CIFAR-10 tasks of USB over time, on one GPU.

    python tests/benchmarks/usb.py --labels 40 250 4000 --seeds 3
    python tests/benchmarks/usb.py cifar10.npz --peer torch --output usb.json

The file has `x_train`, `y_train`, `x_test` and `y_test`, or `x` and `y`, whose
last 5,000 images are then the test images. Without a file, Keras downloads
CIFAR-10.

The settings are those of `config/classic_cv` in USB: a WideResNet-28-2 from
scratch, 2 ** 20 steps of 64 labelled and 448 unlabelled images, and the
labelled images among the unlabelled ones. Its errors at 250 labels, 4.97 %
(FixMatch) and 4.85 % (FreeMatch) in `results/classic_cv.csv`, belong to these
settings and not to its pretrained transformers. They are the least errors on
the test images in the course of a training. No user can choose that model, so
the table has the error at the end beside it. USB looks every 5,120 steps, and
this benchmark every 1,024.

The augmentation is that of the package: two ops where USB draws three, and grey
where it reflects images at their border. Pseudo-labels come from the moving
statistics of batch normalization. The momentum of these warms up, and so does
that of the averaged weights. Convolutions compute in bfloat16; weights,
statistics, outputs and losses are in float32. USB has float32 for all, as has
`--dtype float32`.

What is to keep a GPU busy:

- The images lie on the device as bytes. `fit()` feeds their numbers, each in
  the three bytes of an image of one pixel. So its dataset, checks and backups
  are those of every fit. The compiled step takes the images of these numbers
  and augments them.
- The steps of an execution are one program. Keras's JAX trainer starts a
  program for each step, however many steps an execution has.

After each epoch of 1,024 steps, `error.csv` in the folder of the run has a new
row, and `ExactBackup` has the state. The same command goes on from there,
whatever has ended it, and does not repeat runs that are complete. To compile
only once, set the environment variable `JAX_COMPILATION_CACHE_DIR`.

`--peer torch` measures the speed of a minimal loop of PyTorch as well.
`--depth 10 --width 1` is a network for CPUs. There are no results of a GPU yet,
because none was at hand.
"""

import argparse
import csv
import os
import pathlib
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np

import keras_fewlabels as kfl
from keras_fewlabels.data.batches import MixedBatches
from keras_fewlabels.foundation import csv_text, write_whole
from results import add_output, add_seeds, seeds_of, table, write_results
from usb_model import (
    FixMatch,
    FreeMatch,
    PartOfCosine,
    pixels_of,
    wide_resnet,
)

MODELS = {"FixMatch": FixMatch, "FreeMatch": FreeMatch}
# The least errors of USB by the number of labels, in percent.
USB_ERRORS = {
    "FixMatch": {40: 8.33, 250: 4.97, 4000: 4.29},
    "FreeMatch": {40: 4.97, 250: 4.85, 4000: 4.14},
}
LOGS = "loss", "mask_ratio", "pseudo_label_accuracy"
COLUMNS = "step", "error", *LOGS, "seconds", "images_per_second"


def load(file):
    """Returns the images and labels to train on, and those of the test."""
    if file is None:
        parts = keras.datasets.cifar10.load_data()
    else:
        with np.load(file) as arrays:
            if "x_train" in arrays:
                parts = [
                    (arrays[f"x_{part}"], arrays[f"y_{part}"])
                    for part in ("train", "test")
                ]
            else:
                x, y = arrays["x"], arrays["y"]
                parts = (x[:-5000], y[:-5000]), (x[-5000:], y[-5000:])
    return [(x, y.reshape(-1).astype("int32")) for x, y in parts]


class ErrorOverTime(keras.callbacks.Callback):
    """Writes the test error of the average to a file after each epoch."""

    def __init__(self, file, test, images_per_step):
        super().__init__()
        self.file = file
        self.test = test
        self.images_per_step = images_per_step

    def on_epoch_begin(self, epoch, logs=None):
        # A run that was killed may have written a row after its last backup.
        self.rows = read_rows(self.file)[:epoch]
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        # The logs are numbers by now, so all steps are done.
        seconds = time.perf_counter() - self.start
        before = float(self.rows[-1]["seconds"]) if self.rows else 0.0
        num_steps = self.params["steps"]
        row = {
            "step": (epoch + 1) * num_steps,
            "error": self.error(),
            **{name: logs[name] for name in LOGS},
            "seconds": before + seconds,
            "images_per_second": num_steps * self.images_per_step / seconds,
        }
        self.rows.append(row)
        rows = [row.values() for row in self.rows]
        write_whole(self.file, csv_text(COLUMNS, rows))
        print(
            f"{self.file.parent.name}  step {row['step']:,}  "
            f"error {row['error']:.2f} %  "
            f"{row['images_per_second']:,.0f} images/s",
            flush=True,
        )

    def error(self):
        images, labels = self.test
        average = self.model.average.model
        scores = average.predict(images, batch_size=1000, verbose=0)
        return round(100 * float(np.mean(scores.argmax(1) != labels)), 2)


def read_rows(file):
    """Returns the rows that `ErrorOverTime` has written, dicts of strings."""
    if not file.exists():
        return []
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


def compiled_model(method, images, options):
    """Returns a model that the options set up, on all images."""
    keras.config.set_dtype_policy(options.dtype)
    student = wide_resnet(options.depth, options.width)
    model = MODELS[method](student, images)
    rate = PartOfCosine(0.03, options.steps)
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=options.steps_per_execution,
    )
    return model


def train(method, num_labels, seed, data, options):
    """Trains, or goes on to train. Returns the rows of the error over time."""
    folder = options.folder / f"{method}_{num_labels}_{seed}"
    file = folder / "error.csv"
    num_epochs = options.steps // options.epoch_steps
    if len(read_rows(file)) == num_epochs:
        return read_rows(file)
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    (images, labels), test = data
    pixels = pixels_of(np.arange(len(images)))
    labeled, _, _ = kfl.data.split_labels(pixels, labels, num_labels, seed=seed)
    sizes = options.batch_size, options.batch_size * options.ratio
    batches = MixedBatches(
        labeled, pixels, *sizes, truth=labels, num_steps=options.epoch_steps
    )
    model = compiled_model(method, images, options)
    folder.mkdir(parents=True, exist_ok=True)
    callbacks = [
        ErrorOverTime(file, test, sum(sizes)),
        kfl.callbacks.ExactBackup(folder / "backup"),
    ]
    model.fit(batches, epochs=num_epochs, callbacks=callbacks, verbose=0)
    return read_rows(file)


def table_row(method, num_labels, runs):
    """Returns the row of the table for the runs of all seeds."""
    errors = [[float(row["error"]) for row in rows] for rows in runs]
    # The first epoch of a process compiles, which the median leaves out.
    rates = [float(row["images_per_second"]) for rows in runs for row in rows]
    theirs = USB_ERRORS[method].get(num_labels)
    return {
        "": f"`{method}`, {num_labels:,} labels",
        "error at the end, %": ", ".join(f"{e[-1]:.2f}" for e in errors),
        "least error, %": ", ".join(f"{min(e):.2f}" for e in errors),
        "least error in USB, %": "" if theirs is None else f"{theirs:.2f}",
        "images/s": round(statistics.median(rates)),
    }


def options_of_command():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=pathlib.Path)
    add_seeds(parser)
    parser.add_argument(
        "--methods", nargs="+", choices=MODELS, default=list(MODELS)
    )
    parser.add_argument("--labels", nargs="+", type=int, default=[250])
    parser.add_argument("--steps", type=int, default=2**20)
    parser.add_argument("--epoch-steps", type=int, default=1024)
    parser.add_argument("--steps-per-execution", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--ratio", type=int, default=7)
    parser.add_argument("--depth", type=int, default=28)
    parser.add_argument("--width", type=int, default=2)
    parser.add_argument(
        "--dtype",
        choices=("mixed_bfloat16", "float32"),
        default="mixed_bfloat16",
    )
    parser.add_argument("--peer", choices=("torch",))
    parser.add_argument(
        "--folder", type=pathlib.Path, default=pathlib.Path("usb")
    )
    add_output(parser)
    options = parser.parse_args()
    if options.steps % options.epoch_steps:
        parser.error("--steps must be a multiple of --epoch-steps.")
    if options.epoch_steps % options.steps_per_execution:
        parser.error("--epoch-steps must be one of --steps-per-execution.")
    if keras.backend.backend() != "jax":
        parser.error("The backend must be JAX: unset KERAS_BACKEND.")
    return options


def main():
    options = options_of_command()
    data = load(options.file)
    rows, peers = [], []
    if options.peer == "torch":
        # Before JAX takes most of the memory of the device.
        from usb_torch import images_per_second

        rate = round(images_per_second(*data[0], options))
        peers = [{"": "a loop of PyTorch", "images/s": rate}]
    for num_labels in options.labels:
        for method in options.methods:
            runs = [
                train(method, num_labels, seed, data, options)
                for seed in seeds_of(options)
            ]
            rows.append(table_row(method, num_labels, runs))
    rows += peers
    print(table(rows))
    write_results(
        options.output,
        "FixMatch and FreeMatch beside USB, CIFAR-10",
        "Errors of the averaged weights on the test images, one per seed. USB "
        "gives the least one in the course of a training, as the mean of three "
        f"seeds. {options.steps:,} steps of {options.batch_size} labelled and "
        f"{options.batch_size * options.ratio} unlabelled images, on "
        f"{jax.devices()[0].device_kind}. A loop of PyTorch only flips the "
        "images, without `RandAugment`.",
        rows,
        seeds_of(options),
    )


if __name__ == "__main__":
    main()
