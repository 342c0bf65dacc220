"""The former interface of `image_source`, for the loop's last two callers."""

from keras_fewlabels.data.sources.datasets import is_dataset  # noqa: F401
from keras_fewlabels.data.sources.image_source import image_source


class unlabeled_source:
    """Adapts an `ImageSource` to callers of the former interface."""

    def __init__(self, unlabeled):
        self._images = image_source(unlabeled)
        self.source = self._images.images

    def __len__(self):
        return len(self._images)

    def pieces(self, piece_size, batch_size):
        """Yields tuples of the first index, the number of images and them."""
        start = 0
        for images in self._images.pieces(piece_size):
            yield start, len(images), images
            start += len(images)
