import shutil

import pytest

from keras_fewlabels.data.examine_folders import examine_folders

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
    examine_folders(roots, NAMES, None, "rgb", "auto")
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
