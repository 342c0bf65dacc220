"""Measures how fast photographs are read from files, beside the usual ways.

    python tests/benchmarks/files.py [--count 5000] [--side 500] [--size 224]
    python tests/benchmarks/files.py --examine 100000

The first command writes JPEG files and measures images per second of one epoch,
decoded and resized: of `ImageFiles`, without a cache and in the second epoch
with one; of `keras.utils.image_dataset_from_directory`; and, if torchvision is
installed, of its `ImageFolder` with two workers. With `--photographs DIR` the
files are photographs out of a folder, enlarged. The second command measures
`load_image_folders`, which reads and checks every file: seconds, and the memory
that it takes.
"""

import argparse
import importlib.util
import os
import pathlib
import resource
import sys
import tempfile
import time
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

import keras_fewlabels as kfl
from results import add_output, table, write_results

BATCH_SIZE = 32
NUM_CLASSES = 10


def write_files(root, count, side, photographs=None):
    """Writes JPEG files in a folder per class, and returns their paths."""
    rng = np.random.default_rng(0)
    originals = sorted(photographs.rglob("*.jpg")) if photographs else []
    paths = []
    for number in range(count):
        if originals:
            image = Image.open(originals[number % len(originals)])
        else:
            noise = rng.integers(0, 256, (8, 8, 3), "uint8")
            image = Image.fromarray(noise)
        image = image.convert("RGB").resize((side, side), Image.BICUBIC)
        folder = root / str(number % NUM_CLASSES)
        folder.mkdir(exist_ok=True)
        paths.append(folder / f"{number:06d}.jpg")
        image.save(paths[-1], quality=90)
    return paths


def epoch_of(files):
    for start in range(0, len(files), BATCH_SIZE):
        files[start : start + BATCH_SIZE]


def image_files(root, paths, size):
    files = kfl.data.ImageFiles(paths, size, cache_bytes=0)
    return seconds_of(lambda: epoch_of(files))


def image_files_again(root, paths, size):
    # As much as the default of 1 GiB holds.
    files = kfl.data.ImageFiles(paths, size)
    epoch_of(files)
    return seconds_of(lambda: epoch_of(files))


def keras_directory(root, paths, size):
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        root,
        labels=None,
        image_size=(size, size),
        batch_size=BATCH_SIZE,
        shuffle=False,
        verbose=False,
    )
    return seconds_of(lambda: [None for _ in dataset])


def torchvision_folder(root, paths, size):
    import torch

    # Some builds of torch lack operators that torchvision needs at import.
    sys.modules["torchvision._meta_registrations"] = types.ModuleType("none")
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    transform = v2.Compose([v2.Resize((size, size)), v2.PILToTensor()])
    loader = torch.utils.data.DataLoader(
        ImageFolder(root, transform), BATCH_SIZE, num_workers=2
    )
    return seconds_of(lambda: [None for _ in loader])


READERS = {
    "`ImageFiles`": image_files,
    "`ImageFiles`, second epoch": image_files_again,
    "`image_dataset_from_directory`": keras_directory,
    "torchvision `ImageFolder`": torchvision_folder,
}


def seconds_of(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def peak_memory():
    """Returns the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(options):
    """Returns a row of images per second for each reader."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        paths = write_files(
            root, options.count, options.side, options.photographs
        )
        for name, reader in READERS.items():
            has_torchvision = importlib.util.find_spec("torchvision")
            if reader is torchvision_folder and has_torchvision is None:
                continue
            rates = [
                options.count / reader(root, paths, options.size)
                for _ in range(options.rounds)
            ]
            rows.append({"": name, "images/s": float(np.median(rates))})
            print(table(rows[-1:]), flush=True)
    return rows


def examine(options):
    """Returns a row of the seconds and the memory of an examination."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, count in ("labeled", 100), ("unlabeled", options.examine):
            (root / name).mkdir()
            write_files(root / name, count, 64)
        before = peak_memory()
        seconds = seconds_of(
            lambda: kfl.data.load_image_folders(
                root / "labeled", root / "unlabeled", image_size=64, verbose=0
            )
        )
    return [
        {
            "": f"{options.examine:,} files of 64 px",
            "seconds": seconds,
            "MiB before": before,
            "MiB at most": peak_memory(),
        }
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--side", type=int, default=500)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photographs", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--examine", type=int, metavar="COUNT")
    add_output(parser)
    options = parser.parse_args()
    if options.examine:
        rows = examine(options)
        title = "Examination of folders"
        about = "`load_image_folders` reads and checks every file."
    else:
        rows = read(options)
        title = "Reading photographs from files"
        about = (
            f"{options.count:,} JPEG files of {options.side} px, decoded and "
            f"resized to {options.size} px, images per second."
        )
    print(table(rows))
    write_results(options.output, title, about, rows)


if __name__ == "__main__":
    main()
