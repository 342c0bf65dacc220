import keras
from keras import ops

from keras_fewlabels.foundation import MultiWorkerFixes
from keras_fewlabels.models.student.fit_checks import check_before_fit
from keras_fewlabels.models.student.fit_progress import FitProgress, count_steps
from keras_fewlabels.models.student.guard_rails import GuardRails
from keras_fewlabels.models.student.pseudo_label_metrics import (
    PseudoLabelMetrics,
)


class StudentModel(MultiWorkerFixes, keras.Model):
    """A model around a student, which it fits, evaluates and shows.

    `fit()` checks the first batch, counts the steps and watches for a
    collapse. The compiled metrics are those of labelled images. The metrics of
    the unlabelled images have no meaning in an evaluation and are left out
    there.

    Args:
        student: Built Keras model.
        **kwargs: As for `keras.Model`.
    """

    def __init__(self, student, **kwargs):
        super().__init__(**kwargs)
        self.student = student
        self.pseudo_label_metrics = PseudoLabelMetrics()
        self.progress = FitProgress()

    def ramp(self, progress):
        """Returns the share of `unlabeled_weight` at this point of the fit.

        Args:
            progress: Float tensor in `[0, 1]`, the share of the steps done.

        Returns:
            Float tensor, by which the unlabelled loss is multiplied.
        """
        return 1.0

    def debiased_student(self):
        """Returns a classifier that predicts as this model does."""
        return self.student

    def changes_in_fit(self):
        """Returns whether the method changes in the course of a fit."""
        return type(self).ramp is not StudentModel.ramp

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        **kwargs,
    ):
        x = check_before_fit(self, x)
        _set_dataset(callbacks, x)
        steps = count_steps(
            x,
            kwargs.get("steps_per_epoch"),
            needed=self.changes_in_fit(),
        )
        done = kwargs.get("initial_epoch", 0) * steps
        self.progress.start(epochs * steps, done)
        # Mixed datasets shuffle themselves. With True, Keras warns.
        kwargs.setdefault("shuffle", False)
        # A `CallbackList` is complete as it is.
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [
                GuardRails(),
                *keras.tree.flatten(callbacks or []),
                _CreateVariables(),
            ]
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, **kwargs
        )

    def evaluate(self, *args, **kwargs):
        self.pseudo_label_metrics.paused = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self.pseudo_label_metrics.paused = False

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        predictions, _ = split_predictions(x, y_pred)
        logs = super().compute_metrics(x, y, predictions, sample_weight)
        return self.pseudo_label_metrics.shown_in(logs, is_mixed(x))

    def get_metrics_result(self):
        # Keras merges the logs of several replicas only if the names here are
        # those that the steps returned.
        return self.pseudo_label_metrics.shown_in(super().get_metrics_result())

    def summary(self, *args, **kwargs):
        return self.student.summary(*args, **kwargs)

    def export(self, *args, **kwargs):
        return self.debiased_student().export(*args, **kwargs)


class _CreateVariables(keras.callbacks.Callback):
    """Builds optimizer and metrics of a `StudentModel` before the first step.

    Not earlier, for callbacks may freeze layers when a fit or an epoch begins.
    """

    async_safe = True

    def on_train_batch_begin(self, batch, logs=None):
        model = self.model
        if model.optimizer.built or model.num_outputs is None:
            return
        outputs = ops.zeros((1, model.num_outputs))
        labels = outputs[:, 0] if model.scores.sparse else outputs
        create_variables(model, labels, outputs)


def create_variables(model, labels, predictions):
    """Builds optimizer and metrics of a compiled model.

    TensorFlow traces a step twice if it creates variables.

    Args:
        model: Compiled Keras model.
        labels: Tensor or array of one batch of labels.
        predictions: The same of predictions.

    Example:

    >>> from keras_fewlabels.models.student.student_model import (
    ...     create_variables,
    ... )
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse", metrics=["mae"])
    >>> create_variables(model, np.ones((1, 1)), np.zeros((1, 1)))
    >>> model.optimizer.built, float(model.get_metrics_result()["mae"])
    (True, 0.0)
    """
    model.optimizer.build(model.trainable_variables)
    model.compute_metrics({}, labels, predictions)
    model.reset_metrics()


def is_mixed(inputs):
    """Returns whether inputs hold labelled and unlabelled images.

    Args:
        inputs: Anything that a model is called with.

    Returns:
        Boolean.
    """
    return isinstance(inputs, dict) and "unlabeled" in inputs


def split_predictions(inputs, predictions):
    """Divides predictions as the images are divided.

    Args:
        inputs: What the model was called with.
        predictions: Tensor whose first axis has the labelled images first, or
            a dict of it and the shares of a batch that is mixed.

    Returns:
        Predictions of the labelled and of the unlabelled images; the latter
        are `None` for a batch that is not mixed.
    """
    if not is_mixed(inputs):
        return predictions, None
    if isinstance(predictions, dict):
        predictions = predictions["predictions"]
    num_labeled = ops.shape(inputs["labeled"])[0]
    return predictions[:num_labeled], predictions[num_labeled:]


def _set_dataset(callbacks, dataset):
    """Passes the dataset to callbacks that set the order of its epochs."""
    callbacks = getattr(callbacks, "callbacks", callbacks)
    for callback in keras.tree.flatten(callbacks or []):
        if hasattr(callback, "set_dataset"):
            callback.set_dataset(dataset)
