import numpy as np
import pytest

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
    with pytest.raises(ValueError, match="dict contains fields not in"):
        write_image_table(file, [{"index": 1}, {"other": 2}])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
