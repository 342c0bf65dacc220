import numpy as np


class SomeRows:
    """Some of the rows of an array, which are read when they are due.

    Args:
        rows: Array, memory-mapped array or `ImageFiles`.
        numbers: Int array of shape `(count,)`, which rows.

    Example:

    >>> from keras_fewlabels.data.sources.some_rows import SomeRows
    >>> rows = SomeRows(np.arange(10) ** 2, np.array([2, 5, 7]))
    >>> rows[1:]
    array([25, 49])
    """

    def __init__(self, rows, numbers):
        self._rows, self._numbers = rows, numbers
        self.shape = (len(numbers), *rows.shape[1:])
        self.dtype, self.ndim = rows.dtype, rows.ndim

    def __len__(self):
        return len(self._numbers)

    def __getitem__(self, key):
        return np.asarray(self._rows[self._numbers[key]])
