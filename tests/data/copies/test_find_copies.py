import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from keras_fewlabels.data.copies import find_copies
from keras_fewlabels.data.sources import image_source

SIDE = 100


@pytest.fixture(scope="module")
def photographs():
    """Different windows of two photographs, uint8."""
    rng = np.random.default_rng(0)
    windows = []
    for photograph in load_sample_images().images:
        height, width = photograph.shape[:2]
        for row in np.linspace(0, height - 128, 5).astype(int):
            for column in np.linspace(0, width - 128, 6).astype(int):
                window = photograph[row : row + 128, column : column + 128]
                # Of a piece of plain sky an encoder leaves nothing.
                if window.std() > 10:
                    windows.append(resized(window, SIDE))
    return np.stack(windows)[rng.permutation(len(windows))]


def resized(image, side):
    image = Image.fromarray(image).resize((side, side), Image.BICUBIC)
    return np.asarray(image)


def encoded(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


CHANGES = {
    "encoded": encoded,
    "resized": lambda image: resized(resized(image, 70), SIDE),
    "cropped": lambda image: resized(image[4:99, 1:96], SIDE),
    "resized and encoded": lambda image: resized(
        encoded(resized(image, 70)), SIDE
    ),
    "darker": lambda image: (0.6 * image).astype("uint8"),
    "float": lambda image: image,
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_images_are_found_and_no_others(photographs, change):
    copies = np.stack(list(map(CHANGES[change], photographs[:30])))
    pool = np.concatenate([photographs[30:], copies])
    if change == "float":
        pool = pool.astype("float32") / 255
    found, _ = find_copies(
        {"test": image_source(photographs[:30]), "pool": image_source(pool)}
    )
    # The windows overlap by less than half.
    pairs = [(each.index - len(pool) + 30, each.other_index) for each in found]
    assert len(pairs) >= 29 and all(one == other for one, other in pairs)
    assert {(each.part, each.other_part) for each in found} == {
        ("pool", "test")
    }


def test_each_copy_is_named_once_and_of_the_first_part(photographs):
    first, second = photographs[0], photographs[1]
    parts = {
        "test": [first, photographs[2]],
        "labeled": [second, encoded(first), second],
        "pool": [second, first, encoded(second), photographs[3]],
    }
    found, hashes = find_copies(
        {part: image_source(np.stack(images)) for part, images in parts.items()}
    )
    assert [
        (each.part, each.index, each.other_part, each.other_index)
        for each in found
    ] == [
        ("labeled", 1, "test", 0),
        ("labeled", 2, "labeled", 0),
        ("pool", 0, "labeled", 0),
        ("pool", 1, "test", 0),
        ("pool", 2, "labeled", 0),
    ]
    correlations = [each.correlation for each in found]
    assert correlations[1:4] == [1, 1, 1]
    assert 0.9 < correlations[0] < 1 and 0.9 < correlations[4] < 1
    assert len(hashes["pool"]) == 4


def test_of_small_images_only_equal_ones_are_copies():
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 1), "uint8")
    pool = np.concatenate([images[:3], images[3:6] + 1])
    found, _ = find_copies(
        {"test": image_source(images), "pool": image_source(pool)}
    )
    assert [(each.index, each.other_index) for each in found] == [
        (0, 0),
        (1, 1),
        (2, 2),
    ]


def test_images_of_one_colour_are_copies_only_if_they_are_equal():
    images = np.stack(
        [np.full((40, 40, 3), grey, "uint8") for grey in range(9)]
    )
    images = np.concatenate([images, images[:1]])
    found, _ = find_copies({"pool": image_source(images)})
    assert [(each.index, each.other_index) for each in found] == [(9, 0)]


def test_progress_counts_the_images_of_all_parts(photographs):
    done = []
    find_copies(
        {
            "test": image_source(photographs[:5]),
            "pool": image_source(photographs[5:12]),
        },
        done.append,
    )
    assert done == [5, 12]
