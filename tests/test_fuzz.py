"""Damaged files and hostile names give a value or a documented error.

    python -m pytest -m slow tests/test_fuzz.py

tries `NUM_MUTATIONS` of each kind, always the same ones. To go on with others
for ten minutes, `KERAS_FEWLABELS_FUZZ_SECONDS=600` shares that time among the
tests, and `KERAS_FEWLABELS_FUZZ_SEED=1` begins with others.
"""

import csv
import io
import json
import os
import resource
import time
import unicodedata
import zipfile
import zlib

import keras
import numpy as np
import pytest
from PIL import Image, features

import keras_fewlabels as kfl
from keras_fewlabels.data.review import image_rows, write_image_table
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.foundation import csv_text, printable, read_csv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

NUM_MUTATIONS = 500
SECONDS = float(os.environ.get("KERAS_FEWLABELS_FUZZ_SECONDS", 0))
SEED = int(os.environ.get("KERAS_FEWLABELS_FUZZ_SEED", 0))
# Of the processor, for one file, which may claim to have 89 million pixels.
MOST_SECONDS = 10
MOST_BYTES = 2**30
PHOTO = np.random.default_rng(0).integers(0, 256, (24, 17, 4), "uint8")
FORMATS = {
    "jpg": {"quality": 80, "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"},
    "png": {},
    "gif": {},
    "bmp": {},
    "webp": {},
    "tiff": {"compression": "tiff_lzw"},
    "tif": {},
    "ppm": {},
    "jp2": {},
    "avif": {},
}
NEEDED = {"webp": "webp", "jp2": "jpg_2000", "avif": "avif"}
NUM_TESTS = len(FORMATS) + 6


def mutations():
    """Yields generators of random numbers, until number and time are up."""
    end = time.monotonic() + SECONDS / NUM_TESTS
    number = 0
    while number < NUM_MUTATIONS or time.monotonic() < end:
        yield np.random.default_rng((SEED, number))
        number += 1


def mutated(content, random):
    """Returns bytes with one to four changes."""
    content = bytearray(content)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        start = int(random.integers(len(content) + 1))
        size = int(random.choice([1, 1, 2, 4, 4, 8, 100]))
        # Most sizes and offsets are at the front.
        if random.random() < 0.5:
            start = min(start, int(random.integers(1, 65)))
        part = slice(start, start + size)
        kind = random.integers(6)
        if kind == 0:
            content[part] = random.bytes(size)
        elif kind == 1:
            content[part] = random.choice([b"\0", b"\xff", b"\x7f"]) * size
        elif kind == 2:
            del content[part]
        elif kind == 3:
            content[start:start] = content[part] * int(random.choice([1, 99]))
        elif kind == 4:
            content[start:start] = random.bytes(size)
        else:
            del content[start:]
    return bytes(content)


def with_checksums(content):
    """Returns a PNG whose chunks have the checksums that their content has.

    Otherwise nothing but the checksums would be read.
    """
    content, start = bytearray(content), 8
    while start + 12 <= len(content):
        end = start + 8 + int.from_bytes(content[start : start + 4])
        if end + 4 > len(content):
            break
        checksum = zlib.crc32(content[start + 4 : end])
        content[end : end + 4] = checksum.to_bytes(4)
        start = end + 4
    return bytes(content)


def check_bounded(do, named=None):
    """Calls a function that may raise a documented error, in bounded time.

    Returns:
        The value, or `None` after an error.
    """
    start = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        return do()
    except (ValueError, OSError) as error:
        # Subclasses, such as `UnicodeError`, are raised unawares.
        assert type(error).__module__.split(".")[0] in (
            "builtins",
            "keras_fewlabels",
        )
        assert not isinstance(error, UnicodeError)
        if named is not None:
            assert str(named) in str(error)
        assert "Received" in str(error)
        return None
    finally:
        assert time.process_time() - start < MOST_SECONDS
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert 1024 * (after - before) < MOST_BYTES


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_images(tmp_path, suffix):
    if suffix in NEEDED and not features.check(NEEDED[suffix]):
        pytest.skip(f"Pillow without {suffix}")
    mode = "RGB" if suffix in ("jpg", "ppm") else "RGBA"
    image = Image.fromarray(PHOTO).convert(mode)
    file = tmp_path / f"image.{suffix}"
    image.save(file, **FORMATS[suffix])
    content, num_read = file.read_bytes(), 0
    for random in mutations():
        damaged = mutated(content, random)
        if suffix == "png":
            damaged = with_checksums(damaged)
        file.write_bytes(damaged)
        files = kfl.data.ImageFiles([file], (4, 3), cache_bytes=0)
        image = check_bounded(lambda files=files: files[0], file)
        if image is not None:
            num_read += 1
            assert image.shape == (4, 3, 3) and image.dtype == np.uint8
    # Otherwise nothing but the header would have been tried.
    assert num_read > NUM_MUTATIONS / 100


FRAGMENTS = (
    *('"', "'", "|", "\n", "\r\n", "$", "$$", r"\frac", "`", "*", "_", "{"),
    *("\u202e", "\u200f", "\u2066", "\u200d", "\ufeff", "\0"[:0], "\x1b[2J"),
    *("\x85", "\u2028", "\x07", "<script>", "&amp;", "![](http://x)", "</td>"),
    *("=HYPERLINK(1)", "+1", "-1", "@x", "\t", ";", ",", "\uff1d", "'="),
    *("\udce9", "\udcff", "e\u0301", "é", "日本", "\U0001f469", "%s", "{0}"),
    *("a", "rose", "1", "007", "1e5", "NaN", " ", ".", "~", "x" * 60, "\\"),
)


def hostile_name(random, most=8):
    number = random.integers(1, most)
    return "".join(random.choice(FRAGMENTS, number))


def file_name(random, taken):
    """Returns the name of a file or folder that there can be, of its own."""
    while True:
        name = hostile_name(random).lstrip(".").replace("/", "")
        name = os.fsdecode(os.fsencode(name)[:200])
        key = unicodedata.normalize("NFC", printable(name))
        if name and key not in taken:
            taken.add(key)
            return name


def test_hostile_names_of_folders_and_files(tmp_path):
    for number, random in enumerate(mutations()):
        if number % 10:  # Each has eight files.
            continue
        root, taken = tmp_path / str(number), set()
        classes = [file_name(random, taken) for _ in range(2)]
        for label, name in enumerate([*classes, "pool"]):
            folder = root / ("pool" if label == 2 else f"labeled/{name}")
            folder.mkdir(parents=True)
            for place in range(2 + label):
                path = folder / f"{file_name(random, set())}.png"
                Image.fromarray(PHOTO + np.uint8(3 * label + place)).save(path)
        (root / "pool" / f"{file_name(random, set())}.jpg").touch()
        folders = kfl.data.load_image_folders(
            root / "labeled", root / "pool", verbose=0
        )
        assert len(set(folders.class_names)) == 2
        shown = str(folders.findings) + "".join(folders.class_names)
        assert printable(shown.replace("\n", "")) == shown.replace("\n", "")
        json.dumps(folders.findings.to_dict()).encode()
        assert_found_again(folders.unlabeled, root / "veto.csv")


def assert_found_again(images, file):
    """Writes a table of all images, and reads it as people edit it."""
    source = image_source(images)
    rows = image_rows(source, range(len(source)), source.first(99))
    table = [{"veto": "", "label": "", **row} for row in rows]
    table[-1] |= {"veto": "yes", "label": "1"}
    write_image_table(file, table)
    assert len(file.read_text().splitlines()) == 1 + len(source)
    assert kfl.data.read_veto(images, file).tolist() == [len(source) - 1]
    indices, labels = kfl.data.read_new_labels(images, file)
    assert (indices.tolist(), labels.tolist()) == ([len(source) - 1], [1])


def test_hostile_names_in_tables(tmp_path):
    file = tmp_path / "table.csv"
    for random in mutations():
        names = [hostile_name(random) for _ in range(9)]
        file.write_text(csv_text(["a", "b"], [(name, 1) for name in names]))
        read = [row["a"] for row in read_csv(file, ["a", "b"], "f", "it")]
        assert read == list(map(printable, names))
        for cell, _ in csv.reader(io.StringIO(file.read_text())):
            is_formula = cell.lstrip()[:1] in tuple("=+-@\uff1d")
            assert not is_formula or is_number(cell)


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_hostile_class_names():
    images = np.arange(12, dtype="uint8").reshape(3, 2, 2, 1)
    classifier = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    for number, random in enumerate(mutations()):
        names = [hostile_name(random) for _ in range(3)]
        if number % 25 == 0:
            model = check_bounded(
                lambda names=names: kfl.models.standalone(
                    classifier, names, value_range=(0, 1)
                )
            )
            if model is not None:
                assert kfl.models.class_names_of(model) == names
            figure = check_bounded(
                lambda names=names: kfl.plots.confusion_matrix(
                    np.eye(3, dtype=int), names
                )
            )
            if figure is not None:
                figure.savefig(io.BytesIO(), dpi=20)
        if len(set(map(printable, names))) == 3:
            check_labels_by_name(images, names)


def check_labels_by_name(images, names):
    rows = image_rows(image_source(images), range(3), images)
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["label", *rows[0]])
    for name, row in zip(names, rows, strict=True):
        writer.writerow([printable(name), *row.values()])
    file = "labels.csv"
    with open(file, "w", newline="") as opened:
        opened.write(table.getvalue())
    read = check_bounded(
        lambda: kfl.data.read_new_labels(images, file, class_names=names)
    )
    # A name of blanks is no label.
    if read is not None and all(printable(name).strip() for name in names):
        assert read[1].tolist() == [0, 1, 2]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("paths", [None, ["a.png", "b, c.png", "=d.png"]])
def test_damaged_tables(tmp_path, paths):
    images = np.arange(12, dtype="uint8").reshape(3, 2, 2, 1)
    if paths is not None:
        for path, image in zip(paths, images, strict=True):
            keras.utils.save_img(path, image, scale=False)
        images = kfl.data.ImageFiles(paths, 2, "grayscale")
    file = tmp_path / "table.csv"
    source = image_source(images)
    rows = image_rows(source, range(3), source.first(3))
    answers = ("yes", "cat"), ("no", "dog"), ("", "")
    write_image_table(
        file,
        [
            {"veto": veto, "label": label, **row}
            for (veto, label), row in zip(answers, rows, strict=True)
        ],
    )
    content, num_read = file.read_bytes(), 0
    for random in mutations():
        file.write_bytes(mutated(content, random))
        vetoed = check_bounded(
            lambda: kfl.data.read_veto(images, file), "table.csv"
        )
        found = check_bounded(
            lambda: kfl.data.read_new_labels(
                images, file, class_names=["cat", "dog"]
            ),
            "table.csv",
        )
        if found is not None:
            indices, labels = found
            assert set(indices) <= {0, 1, 2} and set(labels) <= {0, 1}
            assert len(set(indices)) == len(indices) == len(labels)
        if vetoed is not None:
            num_read += 1
            assert set(vetoed) <= {0, 1, 2}
    assert num_read > NUM_MUTATIONS / 100


def test_damaged_archives(tmp_path):
    classifier = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model = kfl.models.standalone(
        classifier, ["cat", "dog"], value_range=(0, 1)
    )
    file = tmp_path / "model.keras"
    model.save(file)
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        config = archive.read("config.json")
    labels = io.BytesIO()
    with zipfile.ZipFile(labels, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog")
    for number, random in enumerate(mutations()):
        kind = number % 3
        if kind == 0:
            file.write_bytes(mutated(whole, random))
        elif kind == 1:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("config.json", mutated(config, random))
        path = file if kind < 2 else tmp_path / "model.tflite"
        if kind == 2:
            path.write_bytes(mutated(b"TFL3" + labels.getvalue(), random))
        names = check_bounded(
            lambda path=path: kfl.models.class_names_of(path), path
        )
        assert names is None or all(isinstance(name, str) for name in names)
