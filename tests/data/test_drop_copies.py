import numpy as np

from keras_fewlabels.data.drop_copies import drop_copies
from keras_fewlabels.data.found_image import FoundImage


def part_of(part, *images):
    """Images of `(name, label, pixels)`."""
    return [
        FoundImage(part, name, f"root/{name}", label, (4, 4), pixels)
        for name, label, pixels in images
    ]


def names(kept):
    return {part: [image.file for image in kept[part]] for part in kept}


def test_what_is_measured_is_not_learned():
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
