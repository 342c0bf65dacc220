import numpy as np

from keras_fewlabels.data.image_files import ImageFiles
from keras_fewlabels.data.unlabeled_array import UnlabeledArray
from keras_fewlabels.data.unlabeled_files import UnlabeledFiles


def test_pieces_and_sample_are_those_of_the_array(save):
    files = ImageFiles([save(f"{number}.png") for number in range(7)], 4)
    source, array = UnlabeledFiles(files), UnlabeledArray(np.asarray(files))
    for (*place, batches), (*expected, images) in zip(
        source.pieces(4, 2), array.pieces(4, 2), strict=True
    ):
        assert place == expected
        # Not a piece in memory, but a batch.
        assert [len(batch) for batch in batches] == [2] * (len(images) // 2) + (
            [1] if len(images) % 2 else []
        )
        np.testing.assert_array_equal(np.concatenate(list(batches)), images)
    np.testing.assert_array_equal(source.sample(3), array.sample(3))
    assert source.checksum() == array.checksum()
    assert (len(source), source.image_shape, source.dtype) == (
        7,
        (4, 4, 3),
        "uint8",
    )
