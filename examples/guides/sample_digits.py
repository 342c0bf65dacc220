"""Handwritten digits in folders, for the guides that have no photographs yet.

The digits come with scikit-learn, so that nothing is downloaded. 5 to 9 are the
classes of the guides. A small backbone learns 0 to 4, and plays a network that
was trained on other images.
"""

import pathlib
import shutil

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

NAMES = ("five", "six", "seven", "eight", "nine")
SIZE = 32


def write_folders(root="digits", num_labeled=20, num_unlabeled=500, seed=0):
    """Writes images of the digits 5 to 9, over those of an earlier run.

    Args:
        root: String, the folder to write to.
        num_labeled: Int, the labelled images of each class; or a list of five.
        num_unlabeled: Int, the unlabelled images. All others are for the test.
        seed: Int, of the draw.

    Returns:
        The paths of three folders: labelled with a folder per class, unlabelled
        without, and test with a folder per class.
    """
    root = pathlib.Path(root)
    shutil.rmtree(root, ignore_errors=True)
    images, classes = all_digits()
    numbers = np.random.default_rng(seed).permutation(
        np.flatnonzero(classes > 4)
    )
    counts = np.broadcast_to(num_labeled, len(NAMES))
    labeled = np.concatenate(
        [
            numbers[classes[numbers] == digit][:count]
            for digit, count in zip(range(5, 10), counts, strict=True)
        ]
    )
    rest = numbers[~np.isin(numbers, labeled)]
    parts = {
        "labeled": labeled,
        "unlabeled": rest[:num_unlabeled],
        "test": rest[num_unlabeled:],
    }
    for part, members in parts.items():
        for number in members:
            folder = root / part
            if part != "unlabeled":
                folder /= NAMES[classes[number] - 5]
            folder.mkdir(parents=True, exist_ok=True)
            # Named by its number, so that `names_of` knows the answer.
            keras.utils.save_img(
                folder / f"{number}.png", images[number], scale=False
            )
    return tuple(str(root / part) for part in parts)


def names_of(paths):
    """Returns the true class of images that `write_folders` has written."""
    classes = load_digits().target
    return [NAMES[classes[int(pathlib.Path(path).stem)] - 5] for path in paths]


def all_digits():
    """Returns all 1,797 digits as images of 32 x 32 x 3, and their classes.

    Each has its own shade, on a background of its own.
    """
    digits = load_digits()
    random = np.random.default_rng(0)
    count = len(digits.target)
    ink = _enlarged(digits.images[..., None] / 16)
    paper = _enlarged(random.uniform(0, 70, (count, 4, 4, 1)))
    shade = random.uniform(150, 255, (count, 1, 1, 1))
    grain = random.normal(0, 6, (count, SIZE, SIZE, 1))
    images = np.clip(ink * shade + (1 - ink) * paper + grain, 0, 255)
    return images.round().astype("uint8").repeat(3, axis=-1), digits.target


def _enlarged(images):
    images = keras.ops.image.resize(images, (SIZE, SIZE), "bicubic")
    return keras.ops.convert_to_numpy(images)


def backbone(epochs=8):
    """Returns a network without a head, which has learned the digits 0 to 4."""
    images, classes = all_digits()
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255)], name="small"
    )
    for width in (16, 32, 64):
        model.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    classifier = keras.Sequential(
        [model, layers.GlobalAveragePooling2D(), layers.Dense(5)]
    )
    classifier.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    known = classes < 5
    classifier.fit(images[known], classes[known], epochs=epochs, verbose=0)
    return model


def add_mess(unlabeled, test, num_foreign=300, num_copies=10, seed=0):
    """Puts into a folder what should not be there.

    These are digits from 0 to 4, copies of test images in another size, equal
    copies, and damaged files.

    Args:
        unlabeled: String, the folder.
        test: String, the folder of test images.
        num_foreign: Int, the number of digits from 0 to 4.
        num_copies: Int, the number of copies of test images.
        seed: Int, of the draw.
    """
    images, classes = all_digits()
    random = np.random.default_rng(seed)
    folder = pathlib.Path(unlabeled)
    others = random.permutation(np.flatnonzero(classes < 5))[:num_foreign]
    for number in others:
        keras.utils.save_img(folder / f"other {number}.png", images[number])
    copied = sorted(pathlib.Path(test).rglob("*.png"))
    for path in random.permutation(copied)[:num_copies]:
        copy = keras.utils.load_img(path, target_size=(40, 40))
        copy.save(folder / f"copy of {path.name}")
    first, second, *_ = sorted(folder.glob("*.png"))
    shutil.copy(first, folder / "the same again.png")
    (folder / "cut off.png").write_bytes(second.read_bytes()[:100])
    (folder / "empty.jpg").touch()
