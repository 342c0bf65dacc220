import keras

from keras_fewlabels.foundation import check_verbose


class PredictionProgress(keras.callbacks.Callback):
    """One progress bar over several calls of `predict`, batch by batch.

    Args:
        num_batches: Integer, the number of batches of all calls.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`.
    """

    def __init__(self, num_batches, verbose):
        super().__init__()
        self.bar = keras.utils.Progbar(
            num_batches, verbose=check_verbose(verbose)
        )
        self.num_done = 0

    def on_predict_begin(self, logs=None):
        self._num_before = self.num_done

    def on_predict_batch_end(self, batch, logs=None):
        # Keras may take several batches in a step, and count beyond the last.
        batch = min(batch + 1, self.params["steps"])
        self.num_done = self._num_before + batch
        self.bar.update(self.num_done)


def progress_over(sources, batch_size, num_passes, verbose):
    """Returns a `PredictionProgress` for passes over sources of images.

    Args:
        sources: List of sets of images, each of which has a length.
        batch_size: Int.
        num_passes: Int, the number of passes over each of the sources.
        verbose: `"auto"`, 0, 1, or 2.
    """
    num_batches = sum(-(-len(source) // batch_size) for source in sources)
    return PredictionProgress(num_passes * num_batches, verbose)
