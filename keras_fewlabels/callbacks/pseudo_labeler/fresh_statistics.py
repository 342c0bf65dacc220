import contextlib
import warnings

from keras_fewlabels.foundation import (
    MovingStatistics,
    batch_norms,
    check_called,
    lagging_statistics,
    most_momentum,
    save_as_it_is,
    save_with,
    when_fit_ends,
)

# Labelled images that are predicted to find out.
_SAMPLE = 512


class FreshStatistics:
    """Lets a model label with batch-norm statistics that are up to date.

    If the moving statistics lag behind the weights, the model labels with the
    statistics of labelled images. It keeps its own for all else. With several
    workers it labels as it is: one alone cannot replace their variables. So
    does a model whose `predict()` prepares images in ways that a call does not:
    its layers never see the images of the fit.

    Args:
        worker: The worker with the model that labels.
        feed: The feed of the fit, for its labelled images.
        scores: `ClassScores`, the kind of scores of the model.
    """

    def __init__(self, worker, feed, scores):
        self._model = worker.model
        self._feed = feed
        self._scores = scores
        self._statistics = MovingStatistics(worker.model)
        self._is_needed = (
            len(self._statistics) > 0
            and worker.count == 1
            and _is_called(worker.model, feed.labeled_sample(2)[0])
        )
        self._has_warned = False

    @contextlib.contextmanager
    def in_use(self):
        """Gives the model fresh statistics, if its own lag behind."""
        lag = None
        if self._is_needed:
            images, labels = self._feed.labeled_sample(_SAMPLE)
            lag = lagging_statistics(
                self._model,
                images,
                lambda outputs: self._scores.mean_cross_entropy(
                    labels, outputs
                ),
            )
        if lag is None:
            yield
            return
        before, after, fresh = lag
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(
                "The statistics of batch normalization lag behind the weights, "
                "as they do in short fits: the model that labels has a "
                f"cross-entropy of {before:.2f} on labelled images, and of "
                f"{after:.2f} with the statistics of these images. It labels "
                "with the latter. "
                "Build the model with `BatchNormalization(momentum=0.9)`, or "
                "call `loops.recalibrate_batch_norm(model, images)` when it is "
                "trained",
                stacklevel=2,
            )
        present = self._statistics.get()
        try:
            self._statistics.set(fresh)
            yield
        finally:
            self._statistics.set(present)


def _is_called(model, images):
    """Returns whether a call of the model does all that `predict()` does."""
    try:
        check_called(model, "model", images)
    except ValueError:
        return False
    return True


class ShortFitMomentum:
    """Lowers the momentum of batch normalization for the length of a fit.

    Keras's default looks back over a hundred steps, which is too far in a fit
    of a few hundred. A lower momentum, and that of 5,000 steps and more, stays
    as it is. The layers have their own momentum again when the fit ends, also
    by an error, and in a model that is saved meanwhile.

    Args:
        model: Built Keras model that is trained.
        num_steps: Int, the steps of the fit.
    """

    def __init__(self, model, num_steps):
        self._model = model
        limit = float(most_momentum(num_steps))
        self._momentums = [
            (layer, layer.momentum)
            for layer in batch_norms(model)
            if layer.momentum > limit
        ]
        for layer, momentum in self._momentums:
            save_with(layer, momentum=momentum)
            layer.momentum = limit
        self._trace_again()
        when_fit_ends(self.restore)

    def restore(self):
        """Gives the layers their own momentum back."""
        for layer, momentum in self._momentums:
            layer.momentum = momentum
            save_as_it_is(layer, "momentum")
        self._trace_again()
        self._momentums = []

    def _trace_again(self):
        # A traced step contains the momentum.
        if self._momentums:
            self._model.make_train_function(force=True)
