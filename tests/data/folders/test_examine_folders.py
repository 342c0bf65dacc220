import dataclasses
import shutil
import threading

import numpy as np
import pytest
from PIL import Image

from keras_fewlabels.data.folders.examine_folders import (
    FoundImage,
    drop_copies,
    examine_folders,
    examine_images,
)

NAMES = ["ant", "bee"]


@pytest.fixture
def roots(save, tmp_path):
    for name in NAMES:
        for number in range(6 if name == "ant" else 2):
            save(f"labeled/{name}/{number}.png", size=(8, 6))
    save("test/bee/0.png", size=(8, 6))
    for number in range(3):
        save(f"pool/{number}.png", size=(8, 6))
    parts = {"test": "test", "labeled": "labeled", "unlabeled": "pool"}
    return {part: str(tmp_path / name) for part, name in parts.items()}


def test_parts_counts_and_notes(roots):
    images, findings = examine_folders(roots, NAMES, None, "rgb", 0)
    assert [image.label for image in images["labeled"]] == 6 * [0] + 2 * [1]
    assert [image.label for image in images["test"]] == [1]
    assert [image.label for image in images["unlabeled"]] == 3 * [None]
    assert findings.folders["labeled"] == {
        "path": roots["labeled"],
        "num_files": 8,
        "num_images": 8,
        "class_counts": {"ant": 6, "bee": 2},
    }
    assert findings.folders["unlabeled"]["class_counts"] is None
    assert findings.image_size == (8, 6)
    assert findings.notes == [
        "image size 8 x 6, rgb: 11 of 11 images are 8 x 6",
        "labeled has fewer than 5 images of bee (2)",
        "test has no image of ant",
    ]
    assert findings.findings == []


def test_a_size_that_is_asked_for(roots):
    _, findings = examine_folders(roots, NAMES, (20, 20), "grayscale", 0)
    assert findings.image_size == (20, 20)
    assert findings.notes[0] == "image size 20 x 20, grayscale: as asked for"
    assert {finding.kind for finding in findings.findings} == {"enlarged"}


def test_files_without_a_class(roots, save, tmp_path):
    save("labeled/lone.png")
    save("pool/deep/deeper/3.png", size=(8, 6))
    images, findings = examine_folders(roots, NAMES, None, "rgb", 0)
    assert len(images["labeled"]) == 8 and len(images["unlabeled"]) == 4
    (finding,) = findings.findings
    assert (finding.kind, finding.file) == ("no class", "lone.png")


def test_progress_and_findings_are_shown_only_if_asked_for(roots, capsys):
    examine_folders(roots, NAMES, None, "rgb", 0)
    assert capsys.readouterr().out == ""
    examine_folders(roots, NAMES, None, "rgb", 1)
    shown = capsys.readouterr().out
    assert "12/12" in shown and "test has no image of ant" in shown


def test_a_class_of_which_nothing_is_left_is_refused(roots, tmp_path):
    # Both bees are measured, too, so none is left to learn from.
    for number in range(2):
        name = f"bee/{number}.png"
        shutil.copy(tmp_path / "labeled" / name, tmp_path / "test/bee")
    expected = r"(?s)no image that can be used in \['bee'\].*in another part"
    with pytest.raises(ValueError, match=expected):
        examine_folders(roots, NAMES, None, "rgb", 0)


def test_a_found_image_is_compared_by_its_fields():
    image = FoundImage("test", "a/b.png", "root/a/b.png", 0, (4, 5), b"1")
    assert image == dataclasses.replace(image)
    assert image != dataclasses.replace(image, pixels=b"2")
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.label = 1


def test_images_and_other_files_in_their_order(save, tmp_path):
    names = [f"{number:04d}.png" for number in range(30)]
    for name in names:
        save(name, size=(5, 7))
    (tmp_path / names[3]).write_bytes(b"")
    (tmp_path / names[8]).write_text("text")
    save(names[5], mode="L", size=(5, 7))
    seen = []
    images, findings = examine_images(
        "test",
        str(tmp_path),
        names,
        [*range(30)],
        "rgb",
        lambda: seen.append(1),
    )
    kept = [name for name in names if name not in (names[3], names[8])]
    assert [image.file for image in images] == kept
    assert [image.path for image in images] == [
        str(tmp_path / name) for name in kept
    ]
    assert [image.label for image in images] == [int(name[:4]) for name in kept]
    assert {(image.part, image.size) for image in images} == {("test", (5, 7))}
    assert len({image.pixels for image in images}) == 28
    assert [(each.kind, each.file) for each in findings] == [
        ("empty", names[3]),
        ("grey", names[5]),
        ("no image", names[8]),
    ]
    assert len(seen) == 30


def test_pixels_tell_images_apart_and_files_do_not(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (4, 6, 3), "uint8")
    nearly = noise.copy()
    nearly[3, 5, 2] ^= 1
    for name, image in (
        ("a.png", noise),
        ("b.bmp", noise),
        ("c.png", nearly),
        # The same bytes in another shape.
        ("d.png", noise.reshape(6, 4, 3)),
    ):
        Image.fromarray(image).save(tmp_path / name)
    names = ["a.png", "b.bmp", "c.png", "d.png"]
    images, _ = examine_images(
        "test", str(tmp_path), names, [None] * 4, "rgb", lambda: None
    )
    pixels = [image.pixels for image in images]
    assert pixels[0] == pixels[1]
    assert len(set(pixels)) == 3


def test_no_thread_is_left(save, tmp_path):
    save("a.png")
    before = threading.active_count()
    examine_images("test", str(tmp_path), ["a.png"], [0], "rgb", lambda: None)
    assert threading.active_count() == before


def part_of(part, *images):
    """Images of `(name, label, pixels)`."""
    return [
        FoundImage(part, name, f"root/{name}", label, (4, 4), pixels)
        for name, label, pixels in images
    ]


def names(kept):
    return {part: [image.file for image in kept[part]] for part in kept}


def test_test_images_are_not_trained_on():
    kept, findings = drop_copies(
        {
            "test": part_of("test", ("t", 0, b"1"), ("u", 1, b"2")),
            # Of another class than in `test`, where it stays all the same.
            "labeled": part_of("labeled", ("l", 1, b"1"), ("m", 0, b"3")),
            "unlabeled": part_of(
                "unlabeled",
                *(("x", None, b"2"), ("y", None, b"3"), ("z", None, b"4")),
            ),
        }
    )
    assert names(kept) == {
        "test": ["t", "u"],
        "labeled": ["m"],
        "unlabeled": ["z"],
    }
    assert {finding.kind for finding in findings} == {"in another part"}
    assert [(each.part, each.file, each.detail) for each in findings] == [
        ("labeled", "l", "as test: t"),
        ("unlabeled", "x", "as test: u"),
        ("unlabeled", "y", "as labeled: m"),
    ]


def test_one_copy_stays_in_a_part():
    images = ("a", 0, b"1"), ("b", 1, b"2"), ("c", 0, b"1"), ("d", 0, b"1")
    kept, findings = drop_copies({"labeled": part_of("labeled", *images)})
    assert names(kept) == {"labeled": ["a", "b"]}
    assert [(each.kind, each.file, each.detail) for each in findings] == [
        ("copy", "c", "as labeled: a"),
        ("copy", "d", "as labeled: a"),
    ]


def test_no_copy_of_two_classes_stays_anywhere():
    images = ("a", 0, b"1"), ("b", 1, b"1"), ("c", 0, b"1"), ("d", 1, b"2")
    kept, findings = drop_copies(
        {
            "labeled": part_of("labeled", *images),
            "unlabeled": part_of("unlabeled", ("e", None, b"1")),
        }
    )
    assert names(kept) == {"labeled": ["d"], "unlabeled": []}
    assert [(each.kind, each.file, each.detail) for each in findings] == [
        ("two classes", "a", "as labeled: b"),
        ("two classes", "b", "as labeled: a"),
        ("two classes", "c", "as labeled: b"),
        ("in another part", "e", "as labeled: a"),
    ]


def test_many_copies_take_no_longer_than_as_many_images():
    # A search of each copy through all of them would take minutes.
    images = [(str(number), None, b"1") for number in range(100_000)]
    kept, findings = drop_copies({"unlabeled": part_of("unlabeled", *images)})
    assert (len(kept["unlabeled"]), len(findings)) == (1, 99_999)


def test_nothing_is_lost():
    random = np.random.default_rng(0)
    parts = {
        part: part_of(
            part,
            *(
                (str(number), int(label), bytes([pixels]))
                for number, (label, pixels) in enumerate(
                    random.integers(0, (3, 40), (60, 2))
                )
            ),
        )
        for part in ("test", "labeled")
    }
    kept, findings = drop_copies(parts)
    for part in parts:
        dropped = [each.file for each in findings if each.part == part]
        assert sorted(dropped + names(kept)[part]) == sorted(
            image.file for image in parts[part]
        )
    # Each image that is left is the only one of its pixels.
    pixels = [image.pixels for part in kept.values() for image in part]
    assert len(set(pixels)) == len(pixels) > 0
