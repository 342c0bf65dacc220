"""Image files in batches, for `predict()`."""

import keras


class ImageFileBatches(keras.utils.PyDataset):
    """Batches of images in their order, read when they are due.

    Args:
        files: `ImageFiles`.
        batch_size: Int, images per batch; the last one may be smaller.
        first: Int, the number of the first image.
        size: Optional int, how many images at most. By default all.
    """

    def __init__(self, files, batch_size, first=0, size=None):
        super().__init__()
        self.files = files
        stop = len(files) if size is None else min(len(files), first + size)
        self._starts = range(first, stop, batch_size)
        self._stop = stop

    def __len__(self):
        return len(self._starts)

    def __getitem__(self, index):
        start = self._starts[index]
        return self.files[start : min(start + self._starts.step, self._stop)]
