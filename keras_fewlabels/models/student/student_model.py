"""What a model that trains a student has of that student."""

from keras import ops

from keras_fewlabels.models.multi_worker_model import MultiWorkerModel
from keras_fewlabels.models.student.pseudo_label_metrics import (
    PseudoLabelMetrics,
)


class StudentModel(MultiWorkerModel):
    """Shows its student to the world, and logs how it is taught.

    Metrics are those of labelled images. What is logged of the unlabelled
    ones has no meaning in an evaluation and is left out there.

    Args:
        student: Built Keras model.
        **kwargs: As for `keras.Model`.
    """

    def __init__(self, student, **kwargs):
        super().__init__(**kwargs)
        self.student = student
        self.pseudo_label_metrics = PseudoLabelMetrics()

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        predictions, _ = split_predictions(x, y_pred)
        logs = super().compute_metrics(x, y, predictions, sample_weight)
        return self.pseudo_label_metrics.shown_in(logs, is_mixed(x))

    def get_metrics_result(self):
        # Several replicas are put together only where the names in here are
        # those that the steps returned.
        return self.pseudo_label_metrics.shown_in(super().get_metrics_result())

    def evaluate(self, *args, **kwargs):
        self.pseudo_label_metrics.paused = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self.pseudo_label_metrics.paused = False

    def summary(self, *args, **kwargs):
        return self.student.summary(*args, **kwargs)

    def export(self, *args, **kwargs):
        return self.student.export(*args, **kwargs)


def is_mixed(inputs):
    """Whether a model is called with labelled and unlabelled images.

    Args:
        inputs: Whatever it is called with.

    Returns:
        Boolean.
    """
    return isinstance(inputs, dict) and "unlabeled" in inputs


def split_predictions(inputs, predictions):
    """Divides predictions as the images are divided.

    Args:
        inputs: What the model was called with.
        predictions: Tensor whose first axis has the labelled images first.

    Returns:
        Predictions of the labelled and of the unlabelled images; the latter
        are `None` for a batch that is not mixed.
    """
    if not is_mixed(inputs):
        return predictions, None
    num_labeled = ops.shape(inputs["labeled"])[0]
    return predictions[:num_labeled], predictions[num_labeled:]
