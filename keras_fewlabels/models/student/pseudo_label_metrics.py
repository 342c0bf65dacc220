import math

import keras
from keras import ops

from keras_fewlabels.models.student.mixed_images import label_rows

_OF_EACH_STEP = (
    "supervised_loss",
    "unlabeled_loss",
    "mask_ratio",
    "confidence",
)


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class PseudoLabelMetrics(keras.layers.Layer):
    """The metrics that `NoisyStudentModel` logs about its pseudo-labels.

    It is a layer, so that Keras finds the metrics in it and resets them after
    each epoch.

    Attributes:
        paused: Boolean, set while the model evaluates labelled images.
        class_entropy: `ClassEntropy` of the pseudo-labels that count; `None`
            until the layer is built.
        label_entropy: `ClassEntropy` of the labels, to compare it with.

    Example:

    >>> from keras_fewlabels.models.student import pseudo_label_metrics
    >>> metrics = pseudo_label_metrics.PseudoLabelMetrics()
    >>> metrics.build((None, 10))
    >>> [metric.name for metric in metrics.metrics]
    ['supervised_loss', 'unlabeled_loss', 'mask_ratio', 'confidence',
     'pseudo_label_accuracy', 'class_entropy', 'label_entropy']
    """

    def __init__(self, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.means = [keras.metrics.Mean(name=name) for name in _OF_EACH_STEP]
        self.accuracy = keras.metrics.Mean(name="pseudo_label_accuracy")
        self.has_truth = False
        self.paused = False
        self.class_entropy = None
        self.label_entropy = None

    def build(self, input_shape):
        num_classes = input_shape[-1]
        self.class_entropy = ClassEntropy(num_classes)
        self.label_entropy = ClassEntropy(num_classes, name="label_entropy")

    def update(self, labels, targets, weights, are_right=None, **values):
        """Updates the metrics with one step.

        Args:
            labels: Class numbers or one-hot rows of the labelled images.
            targets: Float tensor `(batch, num_classes)` of the policy.
            weights: Float tensor `(batch,)` of the policy, or `(batch,
                num_classes)` of a multi-label model.
            are_right: Optional boolean tensor in the shape of the weights,
                whether a pseudo-label is right.
            **values: Tensors to average: `supervised_loss`,
                `unlabeled_loss`, `mask_ratio` and `confidence`.
        """
        self.has_truth = are_right is not None
        for metric in self.means:
            metric.update_state(values[metric.name])
        if are_right is not None:
            self.accuracy.update_state(are_right, sample_weight=weights)
        self.class_entropy.update_state(targets, sample_weight=weights)
        self.label_entropy.update_state(label_rows(labels, targets.shape[-1]))

    def shown_in(self, logs, mixed=True):
        """Returns the logs without metrics that have not been updated.

        Args:
            logs: Dict of the results of all metrics of a model.
            mixed: Boolean, whether the batch has unlabelled images.
        """
        hidden = {"label_entropy"}
        if not self.has_truth:
            hidden.add("pseudo_label_accuracy")
        if self.paused or not mixed:
            hidden.update(metric.name for metric in self.metrics)
        return {
            name: value for name, value in logs.items() if name not in hidden
        }

    def get_config(self):
        config = super().get_config()
        del config["trainable"]
        return config


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class ClassEntropy(keras.metrics.Metric):
    """Measures how evenly pseudo-labels spread over the classes.

    The result is the entropy of the class histogram, divided by that of equal
    shares: 1 if all classes are equally frequent, 0 if one has taken over.

    Args:
        num_classes: Int. With a single class the result is 0.
        name: String, the name in the logs.
        **kwargs: As for every Keras metric.

    Example:

    >>> from keras_fewlabels.models.student.pseudo_label_metrics import (
    ...     ClassEntropy,
    ... )
    >>> metric = ClassEntropy(num_classes=2)
    >>> targets = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> metric.update_state(targets, sample_weight=[1, 1, 0])
    >>> float(metric.result())
    1.0
    """

    def __init__(self, num_classes, name="class_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.histogram = self.add_variable(
            shape=(num_classes,), initializer="zeros", name="histogram"
        )

    def update_state(self, targets, sample_weight=None):
        """Adds the pseudo-labels of a batch to the histogram.

        Args:
            targets: Float tensor `(batch, num_classes)`, hard or soft.
            sample_weight: Optional tensor `(batch,)`, the weights of the
                images, or `(batch, num_classes)`.
        """
        targets = ops.cast(targets, self.dtype)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, self.dtype)
            if len(weights.shape) == 1:
                weights = ops.expand_dims(weights, -1)
            targets = targets * weights
        self.histogram.assign_add(ops.sum(targets, axis=0))

    def result(self):
        total = ops.sum(self.histogram)
        shares = ops.divide_no_nan(ops.convert_to_tensor(self.histogram), total)
        # A tiny number in place of 0, whose term is 0 as well.
        terms = shares * ops.log(ops.maximum(shares, keras.config.epsilon()))
        return -ops.sum(terms) / math.log(max(self.num_classes, 2))

    def get_config(self):
        config = super().get_config()
        config.update({"num_classes": self.num_classes})
        return config
