import os

import numpy as np
import pytest

from keras_fewlabels.data import read_veto, without_vetoed
from keras_fewlabels.data.review.image_table import (
    image_rows,
    write_image_table,
)
from keras_fewlabels.data.sources.image_source import image_source

IMAGES = np.arange(7 * 4, dtype="uint8").reshape(7, 2, 2, 1)


@pytest.fixture
def veto_file(tmp_path):
    def write(numbers, answers):
        source = image_source(IMAGES)
        rows = image_rows(source, numbers, source.take(numbers))
        rows = [
            {"veto": answer, **row}
            for answer, row in zip(answers, rows, strict=True)
        ]
        write_image_table(tmp_path / "veto.csv", rows)
        return tmp_path / "veto.csv"

    return write


def test_only_yes_is_a_veto(veto_file):
    file = veto_file([5, 2, 0], ["yes", "no", " Yes"])
    np.testing.assert_array_equal(read_veto(IMAGES, file), [0, 5])
    np.testing.assert_array_equal(
        without_vetoed(IMAGES, str(file)), IMAGES[[1, 2, 3, 4, 6]]
    )


def test_all_no_is_no_veto(veto_file):
    file = veto_file([5, 2], ["no", "no"])
    assert len(read_veto(IMAGES, file)) == 0
    np.testing.assert_array_equal(without_vetoed(IMAGES, file), IMAGES)


def test_reordered_pool(veto_file):
    file = veto_file([5, 2], ["yes", "yes"])
    np.testing.assert_array_equal(read_veto(IMAGES[::-1], file), [1, 4])


def test_images_that_are_labelled_now_are_told(veto_file):
    file = veto_file([5, 2], ["yes", "yes"])
    with pytest.warns(UserWarning, match="1 of the 2 images.*any more"):
        assert read_veto(IMAGES[:5], file).tolist() == [2]


def test_nothing_is_vetoed_until_somebody_says_so(veto_file):
    file = veto_file([5, 2, 0], ["", "yes", ""])
    assert read_veto(IMAGES, file).tolist() == [2]
    file = veto_file([5, 2], ["", " "])
    with pytest.warns(UserWarning, match=r"Nothing is vetoed.*Write yes or no"):
        assert read_veto(IMAGES, file).tolist() == []


def test_two_answers_for_one_image(veto_file):
    with pytest.raises(ValueError, match=r"'yes' and 'no' for image 5"):
        read_veto(IMAGES, veto_file([5, 2, 5], ["yes", "no", "no"]))
    for answers in ["yes", "no", "YES "], ["yes", "no", ""]:
        file = veto_file([5, 2, 5], answers)
        assert read_veto(IMAGES, file).tolist() == [5]


def test_short_rows_have_no_answer(veto_file):
    file = veto_file([5, 2], ["yes", "yes"])
    text = file.read_text().splitlines()
    file.write_text("\n".join([text[0], text[1], "yes"]))
    with pytest.raises(ValueError, match=r"column `hash`.*hash='' of image ''"):
        read_veto(IMAGES, file)


def test_a_pipe_is_no_veto_file(tmp_path):
    os.mkfifo(tmp_path / "veto.csv")
    with pytest.raises(ValueError, match=r"`veto` must be a CSV.*regular file"):
        read_veto(IMAGES, tmp_path / "veto.csv")


def test_numbers_are_sorted_each_once():
    assert read_veto(IMAGES, [5, 0, 5]).tolist() == [0, 5]
    assert read_veto(IMAGES, []).tolist() == []


def test_dataset_without_the_vetoed_images():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(IMAGES).batch(3)
    rest = without_vetoed(dataset, [0, 4])
    assert int(rest.cardinality()) == 5
    np.testing.assert_array_equal(
        list(rest.as_numpy_iterator()), IMAGES[[1, 2, 3, 5, 6]]
    )


def test_wrong_vetoes(veto_file):
    for numbers in ([7], [-1], [0.5], 3, [[1]]):
        with pytest.raises(ValueError, match="from 0 to 6"):
            read_veto(IMAGES, numbers)
    with pytest.raises(ValueError, match=r"yes, no or nothing.*\['perhaps'\]"):
        read_veto(IMAGES, veto_file([1], ["perhaps"]))
    with pytest.raises(ValueError, match="none of its 1 images"):
        read_veto(255 - IMAGES, veto_file([1], ["yes"]))
    with pytest.raises(ValueError, match="a veto on all 7 images"):
        without_vetoed(IMAGES, range(7))
