import numpy as np
import pytest

from keras_fewlabels.data.image_file_batches import ImageFileBatches

# Any array does for the files.
FILES = np.arange(11)


def test_all_images_in_their_order():
    batches = ImageFileBatches(FILES, 4)
    assert len(batches) == 3
    assert [batch.tolist() for batch in batches] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10],
    ]


def test_a_part_of_the_images():
    batches = ImageFileBatches(FILES, 2, first=5, size=3)
    assert [batch.tolist() for batch in batches] == [[5, 6], [7]]
    # No more than there are.
    assert [list(batch) for batch in ImageFileBatches(FILES, 4, 9, 8)] == [
        [9, 10]
    ]
    with pytest.raises(IndexError):
        batches[2]
