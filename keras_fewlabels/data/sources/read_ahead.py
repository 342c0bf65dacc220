"""Reading in order, while what was read before is used."""

import concurrent.futures


class ReadAhead:
    """Reads a source, the coming images while the last ones are used.

    A context manager: when it ends, nothing is read any more. An error is
    raised by the call that asks for the images that cannot be read.

    Args:
        source: `ImageSource`, which nothing else may read meanwhile.
    """

    def __init__(self, source):
        self._source = source
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._coming = self._asked = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._thread.shutdown(cancel_futures=True)

    def read(self, start, count, coming=None):
        """Returns what the source returns for the same arguments.

        Args:
            start: Int, the number of the first image.
            count: Int, how many images.
            coming: Optional pair of `start` and `count`, what the next call is
                likely to ask for.
        """
        if self._asked != (start, count):
            # In the one thread, for a source reads one thing at a time.
            self._coming = self._submit(start, count)
        images = self._coming.result()
        self._asked = coming
        if coming is not None:
            self._coming = self._submit(*coming)
        return images

    def _submit(self, start, count):
        return self._thread.submit(self._source.read, start, count)
