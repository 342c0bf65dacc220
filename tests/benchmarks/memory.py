"""Measures the memory of `fit_noisy_student` on photographs from folders.

    python tests/benchmarks/memory.py [--images 10000] [--limit 900]

The photographs are coloured noise, in files that the benchmark writes. The
network has random weights and is treated as a trained one, so that it is also
fine-tuned. Each row is the most memory that the process had so far, at the
start and the end of each training. Run it on an otherwise idle machine, or
there is no time for all images.
"""

import argparse
import os
import pathlib
import resource
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from PIL import Image

import keras_fewlabels as kfl
from results import add_output, table, write_results

NUM_CLASSES, NUM_LABELED = 5, 50


def most_memory():
    """Returns the most memory that the process has had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def write_images(folder, count, size):
    """Writes images of noise, the labelled ones in folders of classes."""
    random = np.random.default_rng(0)
    for number in range(count):
        part = "unlabeled"
        if number < NUM_LABELED:
            part = f"labeled/{number % NUM_CLASSES}"
        (folder / part).mkdir(parents=True, exist_ok=True)
        colors = random.integers(0, 256, (14, 14, 3), "uint8")
        image = Image.fromarray(colors).resize((size, size), Image.BICUBIC)
        image.save(folder / part / f"{number}.jpg")


class MostMemory(keras.callbacks.Callback):
    """Notes the most memory at the start and the end of each training."""

    def __init__(self):
        super().__init__()
        self.rows = []
        self.num_trainings = 0

    def note(self, name):
        self.rows.append({"up to": name, "GiB": round(most_memory(), 2)})

    def on_train_begin(self, logs=None):
        self.num_trainings += 1
        self.note(f"start of training {self.num_trainings}")

    def on_train_end(self, logs=None):
        self.note(f"end of training {self.num_trainings}")


def measured(network, size, limit, folder):
    """Returns a row for each part of a run."""
    keras.utils.set_random_seed(0)
    folders = kfl.data.load_image_folders(
        folder / "labeled", folder / "unlabeled", image_size=(size, size)
    )
    model = kfl.models.classifier(
        network, NUM_CLASSES, (size, size), weights=None
    )
    memory = MostMemory()
    memory.note("the model")
    kfl.loops.fit_noisy_student(
        model,
        **folders.arguments(),
        settings={"pretrained": True},
        callbacks=[memory],
        time_limit=limit,
        verbose=2,
    )
    memory.note("the end")
    return memory.rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--limit", type=int, default=900)
    parser.add_argument("--network", default="MobileNetV2")
    add_output(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_images(folder, options.images, options.size)
        rows = measured(options.network, options.size, options.limit, folder)
    print(table(rows), flush=True)
    write_results(
        options.output,
        "Memory",
        f"The most memory of `fit_noisy_student(time_limit={options.limit})` "
        f"with {options.network} on {options.images:,} photographs of "
        f"{options.size} px from folders. Up to 1 GiB of it is a cache of "
        "decoded images (`cache_bytes`).",
        rows,
    )


if __name__ == "__main__":
    main()
