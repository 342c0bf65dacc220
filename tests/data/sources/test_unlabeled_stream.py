import numpy as np
import pytest
import tensorflow as tf

from keras_fewlabels.data.sources.unlabeled_stream import UnlabeledStream

IMAGES = np.arange(300, dtype="float32").reshape(-1, 1, 1, 1)


def dataset(images=IMAGES):
    return tf.data.Dataset.from_tensor_slices(images)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_pieces_in_order_also_where_some_are_passed_over(batch_size):
    source = dataset() if batch_size is None else dataset().batch(batch_size)
    source = UnlabeledStream(source)
    assert (len(source), source.image_shape) == (300, (1, 1, 1))
    for skipped in (set(), {0}, {1, 2}):
        places = []
        for first, size, images in source.pieces(80, 40):
            places.append((first, size))
            assert len(images) == -(-size // 40)
            if len(places) - 1 in skipped:
                continue
            found = np.concatenate(list(images.as_numpy_iterator()))
            np.testing.assert_array_equal(found, IMAGES[first : first + size])
        assert places == [(0, 80), (80, 80), (160, 80), (240, 60)]


def test_files_are_known_by_their_paths():
    source = dataset()
    source.file_paths = [f"{number}.png" for number in range(300)]
    assert UnlabeledStream(source).file_paths == source.file_paths


def test_another_order_is_refused_at_once():
    with pytest.raises(ValueError, match=r"same order.*place 0"):
        UnlabeledStream(dataset().shuffle(300))


def test_another_order_is_refused_in_the_pass_in_which_it_shows():
    changing = tf.Variable(0)
    source = UnlabeledStream(
        dataset().map(
            lambda image: tf.where(
                image >= 100, image + tf.cast(changing, "float32"), image
            )
        )
    )

    def read():
        for _, _, images in source.pieces(80, 40):
            list(images)

    read()
    read()
    changing.assign(1)
    with pytest.raises(Exception, match="another image at place 120"):
        read()


ERRORS = {
    "infinite": (dataset().repeat(), r"Remove `.repeat\(\)`"),
    "empty": (dataset(IMAGES[:0]), "at least one image"),
    "with labels": (dataset((IMAGES, IMAGES)), "images alone"),
    "nan": (dataset(IMAGES * np.nan), "finite numbers"),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_errors(case):
    with pytest.raises(ValueError, match=case[1]):
        UnlabeledStream(case[0])
