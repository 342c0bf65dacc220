import numpy as np
import pytest

from keras_fewlabels.data.review import image_table
from keras_fewlabels.data.review.image_table import (
    find_images,
    image_hash,
    image_rows,
    read_image_table,
    write_image_table,
)
from keras_fewlabels.data.sources.image_source import image_source

IMAGES = np.arange(7 * 4, dtype="uint8").reshape(7, 2, 2, 1)
PATHS = [f"cats/Katze, {number} ä.png" for number in range(7)]
NUMBERS = np.array([4, 1, 6])


def rows_of(paths=None):
    source = image_source(IMAGES, paths=paths)
    return image_rows(source, NUMBERS, source.take(NUMBERS))


def written(tmp_path, rows):
    file = tmp_path / "table.csv"
    write_image_table(file, [{**row, "label": ""} for row in rows])
    return file


@pytest.mark.parametrize("paths", [None, PATHS])
def test_images_are_found_again(tmp_path, paths):
    rows = read_image_table(written(tmp_path, rows_of(paths)), "label", "file")
    found = find_images(rows, image_source(IMAGES, paths=paths), "It")
    np.testing.assert_array_equal(found, NUMBERS)


@pytest.mark.parametrize("paths", [None, PATHS])
def test_images_are_found_in_another_order_and_may_be_gone(tmp_path, paths):
    order = np.array([6, 5, 4, 3, 2, 0])
    source = image_source(
        IMAGES[order], paths=paths and [paths[number] for number in order]
    )
    rows = read_image_table(written(tmp_path, rows_of(paths)), "label", "file")
    np.testing.assert_array_equal(find_images(rows, source, "It"), [2, -1, 0])


def test_a_path_identifies_an_image_with_other_content(tmp_path):
    rows = read_image_table(written(tmp_path, rows_of(PATHS)), "label", "file")
    found = find_images(rows, image_source(255 - IMAGES, paths=PATHS), "It")
    np.testing.assert_array_equal(found, NUMBERS)


def test_other_images_are_refused(tmp_path):
    rows = read_image_table(written(tmp_path, rows_of()), "label", "file")
    with pytest.raises(
        ValueError, match=r"The veto.*none of its 3 images is.*image 4"
    ):
        find_images(rows, image_source(255 - IMAGES), "The veto")


def test_files_saved_by_a_spreadsheet_are_read(tmp_path):
    file = written(tmp_path, rows_of(["x"] * 7))
    text = file.read_text().replace(",", ";")
    file.write_text(text.replace("\n", "\r\n"), "utf-8-sig")
    rows = read_image_table(file, "label", "file")
    assert [row["index"] for row in rows] == ["4", "1", "6"]


def test_edited_index_does_not_matter(tmp_path):
    rows = read_image_table(written(tmp_path, rows_of()), "label", "file")
    for index in ("9", "", "-1", "4.0"):
        rows[0]["index"] = index
        np.testing.assert_array_equal(
            find_images(rows, image_source(IMAGES), "It"), NUMBERS
        )


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(ValueError, match="`file` must be a CSV file"):
        read_image_table(tmp_path / "none.csv", "label", "file")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\x89PNG\xff")
    with pytest.raises(ValueError, match="`file` must be a CSV file"):
        read_image_table(binary, "label", "file")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(ValueError, match=r"without \['hash', 'index'"):
        read_image_table(empty, "label", "file")
    file = written(tmp_path, rows_of())
    with pytest.raises(ValueError, match=r"without \['veto'\]"):
        read_image_table(file, "veto", "file")


def test_hash_depends_on_values_shape_and_type():
    image = IMAGES[1]
    others = [IMAGES[2], image.reshape(1, 4, 1), image.astype("int8")]
    hashes = {image_hash(each) for each in (image, *others)}
    assert len(hashes) == 4
    # It does not depend on the memory layout.
    mirrored = np.ascontiguousarray(image[:, ::-1])
    assert image_hash(mirrored[:, ::-1]) == image_hash(image)
    assert len(image_hash(image)) == 16


def test_an_interrupted_write_leaves_the_earlier_file(tmp_path):
    file = written(tmp_path, rows_of())
    before = file.read_bytes()
    with pytest.raises(KeyError):
        write_image_table(file, [{"index": 1}, {"other": 2}])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


HOSTILE = ["=1+1.png", "a\nb.png", "a\u2028.png", "\x1b[2J.png"]
HOSTILE += ["caf\udce9.png", '"q".png', "x" * 200_000]


def test_images_of_hostile_paths_are_found_again(tmp_path):
    file = written(tmp_path, rows_of(HOSTILE))
    rows = read_image_table(file, "label", "file")
    found = find_images(rows, image_source(IMAGES, paths=HOSTILE), "It")
    np.testing.assert_array_equal(found, NUMBERS)
    assert len(file.read_text().splitlines()) == 4


def test_a_line_break_in_a_path_may_be_written_as_it_is(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text('label,index,path,hash\n1,2,"a\nb.png",\n')
    rows = read_image_table(file, "label", "file")
    found = find_images(rows, image_source(IMAGES, paths=HOSTILE), "It")
    assert found.tolist() == [1]


def spoiled(digest):
    """Returns digits as a spreadsheet saves them, with 15 of them at most."""
    return f"{float(digest):.14E}"


@pytest.mark.parametrize(
    "digest", ["1234567890123456", "0000000000000012", "123456789012e004"]
)
def test_no_hash_is_a_number(monkeypatch, digest):
    monkeypatch.setattr(image_table, "image_hash", lambda image: digest)
    (row, *_) = rows_of()
    with pytest.raises(ValueError, match="could not convert"):
        float(row["hash"])
    # A file of an earlier version, after a spreadsheet.
    rows = [{"index": "4", "path": "", "hash": spoiled(digest)}]
    assert find_images(rows, image_source(IMAGES), "It").tolist() == [4]


def test_a_hash_that_is_lost_is_named():
    rows = [{"index": "9", "path": "", "hash": "1.23E+15"}]
    with pytest.raises(ValueError, match=r"It must.*hash='1.23E\+15' of image"):
        find_images(rows, image_source(IMAGES), "It")
    for index in ("4", "9"):
        rows = [
            {"index": index, "path": "", "hash": f" H{image_hash(IMAGES[4])}"}
        ]
        assert find_images(rows, image_source(IMAGES), "It").tolist() == [4]


def test_equal_images_are_found_each(tmp_path):
    images = IMAGES[[0, 1, 1, 2, 1, 3, 4]]
    source = image_source(images)
    rows = image_rows(source, [1, 2], images[[1, 2]])
    moved = [{**row, "index": str(row["index"] + 1)} for row in rows]
    same = [{**row, "index": str(row["index"])} for row in rows]
    assert find_images(same, source, "It").tolist() == [1, 2]
    assert find_images(moved, source, "It").tolist() == [2, 1]
