"""The kinds of scores that a classifier gives for an image."""

import dataclasses

import keras
import numpy as np
from keras import ops


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """One score per class, of which a softmax makes probabilities.

    One class is true of each image. The subclasses are the other kinds.
    `read_scores` finds the kind of a model.

    Args:
        from_logits: Boolean, whether the scores are logits. Otherwise they
            are probabilities.
        sparse: Boolean, whether the loss takes class numbers and not rows
            with a column per class.

    Example:

    >>> from keras_fewlabels.policies.parts import OneSigmoid
    >>> scores = OneSigmoid(from_logits=False)
    >>> ops = keras.ops
    >>> ops.convert_to_numpy(scores.probabilities(np.array([[0.25]])))
    array([[0.75, 0.25]], dtype=float32)
    """

    from_logits: bool
    sparse: bool = False

    # Whether one class is true of each image.
    one_true = True
    # What makes probabilities of logits.
    activation = "softmax"

    def num_classes(self, num_outputs):
        """Returns the number of classes of a model with so many outputs."""
        return num_outputs

    def columns(self, outputs):
        """Returns float32 scores with a column per class."""
        return ops.cast(outputs, "float32")

    def probabilities(self, outputs):
        """Turns the outputs of a classifier into float32 probabilities.

        Args:
            outputs: Float tensor of shape `(batch, num_outputs)`.

        Returns:
            Float32 tensor of shape `(batch, num_classes)`. The rows sum to 1
            if one class is true.
        """
        columns = self.columns(outputs)
        return ops.softmax(columns, axis=-1) if self.from_logits else columns

    def confidence(self, probabilities):
        """Returns how sure the decisions are: of each image, `(batch,)`."""
        return ops.max(probabilities, axis=-1)

    def cross_entropy(self, targets, outputs):
        """Computes the cross-entropy of each image.

        Args:
            targets: Float tensor of shape `(batch, num_classes)`.
            outputs: Float tensor of shape `(batch, num_outputs)`.

        Returns:
            Float tensor of shape `(batch,)`.
        """
        return keras.losses.categorical_crossentropy(
            targets, self.columns(outputs), from_logits=self.from_logits
        )

    def judge(self, policy, probabilities, **context):
        """Returns the targets and weights that a policy has for images.

        Args:
            policy: `Policy`.
            probabilities: Float tensor of shape `(batch, num_classes)`.
            **context: The other arguments of the policy.

        Returns:
            Pair of float tensors: targets `(batch, num_classes)`, and weights
            `(batch,)` of images, or `(batch, num_classes)` of decisions.
        """
        return policy(probabilities, **context)

    def shape_judged(self, num_classes):
        """Returns the shape of what a policy judges, to build it with."""
        return (None, num_classes) if self.one_true else (None, num_classes, 2)

    def are_right(self, targets, truth):
        """Returns which decisions are right, in the shape of the weights.

        Args:
            targets: Float tensor of shape `(batch, num_classes)`.
            truth: Int tensor, class numbers `(batch,)`, or 0 and 1 `(batch,
                num_classes)`.
        """
        if len(truth.shape) == 2:
            truth = ops.argmax(truth, axis=-1)
        return ops.argmax(targets, axis=-1) == ops.cast(truth, "int32")

    def decide(self, probabilities):
        """Returns the decisions, an int array.

        Args:
            probabilities: Array of shape `(num_images, num_classes)`.

        Returns:
            Int array, class numbers `(num_images,)`, or 0 and 1
            `(num_images, num_classes)` where several classes may be true.
        """
        return np.argmax(probabilities, axis=-1)

    def as_decisions(self, labels):
        """Returns labels in the form of `decide`."""
        labels = np.asarray(labels)
        if labels.ndim == 2 and labels.shape[1] > 1:
            return labels.argmax(axis=1)
        return labels.reshape(-1).astype("int64")

    def count_classes(self, labels, num_classes):
        """Returns how many images have each class, `(num_classes,)` ints."""
        return np.bincount(self.as_decisions(labels), minlength=num_classes)

    def label_rows(self, labels, num_classes):
        """Returns labels as float32 rows `(num_images, num_classes)`."""
        labels = np.asarray(labels)
        if labels.ndim == 2 and labels.shape[1] > 1:
            return labels.astype("float32")
        return np.eye(num_classes, dtype="float32")[self.as_decisions(labels)]

    def mean_cross_entropy(self, labels, outputs):
        """Returns the mean cross-entropy of labels, a float.

        Args:
            labels: Array of labels, class numbers or rows.
            outputs: Array of shape `(num_images, num_outputs)`.
        """
        num_classes = self.num_classes(outputs.shape[-1])
        rows = self.label_rows(labels, num_classes)
        return float(ops.mean(self.cross_entropy(rows, outputs)))

    def as_loss_takes(self, labels, num_classes):
        """Returns labels in the form that the loss in training takes."""
        if self.sparse:
            return self.as_decisions(labels)
        return self.label_rows(labels, num_classes)

    def pseudo_labels(self, probabilities):
        """Returns probabilities as labels, soft ones if the loss takes them."""
        return self.decide(probabilities) if self.sparse else probabilities

    def loss(self, **kwargs):
        """Returns a loss of Keras for these scores and their labels.

        Args:
            **kwargs: Other arguments of the loss, such as `label_smoothing`,
                which class numbers do not take.
        """
        losses = keras.losses
        kind = losses.CategoricalCrossentropy
        if self.sparse:
            kind = losses.SparseCategoricalCrossentropy
        return kind(from_logits=self.from_logits, **kwargs)

    def accuracy(self, soft=False):
        """Returns the metric of `compile()` for the share of right answers.

        Args:
            soft: Boolean, whether labels may be shares between 0 and 1. Such
                a metric is not for models that are saved.
        """
        return "accuracy"


@dataclasses.dataclass(frozen=True)
class OneSigmoid(ClassScores):
    """One score for the second of two classes, read by a sigmoid.

    It becomes two columns, of which one softmax makes the same probabilities:
    `(1 - p, p)`, or the logits `(0, z)`.
    """

    sparse: bool = True
    activation = "sigmoid"

    def num_classes(self, num_outputs):
        return 2

    def columns(self, outputs):
        outputs = ops.cast(outputs, "float32")
        first = ops.zeros_like(outputs) if self.from_logits else 1 - outputs
        return ops.concatenate([first, outputs], axis=-1)

    def as_loss_takes(self, labels, num_classes):
        return self.as_decisions(labels).astype("float32")

    def pseudo_labels(self, probabilities):
        return probabilities[:, 1]

    def loss(self, **kwargs):
        return keras.losses.BinaryCrossentropy(
            from_logits=self.from_logits, **kwargs
        )

    def accuracy(self, soft=False):
        # Keras compares logits with 0.5 by default, and takes no 0.
        threshold = keras.config.epsilon() if self.from_logits else 0.5
        if not soft:
            return keras.metrics.BinaryAccuracy("accuracy", threshold=threshold)

        def agree(labels, outputs):
            labels = ops.reshape(labels, ops.shape(outputs))
            return ops.equal(labels > 0.5, outputs > threshold)

        return keras.metrics.MeanMetricWrapper(agree, "accuracy")


@dataclasses.dataclass(frozen=True)
class Sigmoids(OneSigmoid):
    """One score per class, each read by a sigmoid: several may be true.

    Every score is a decision of its own, whether its class is true.
    """

    sparse: bool = False

    one_true = False

    def num_classes(self, num_outputs):
        return num_outputs

    def columns(self, outputs):
        return ops.cast(outputs, "float32")

    def probabilities(self, outputs):
        columns = self.columns(outputs)
        return ops.sigmoid(columns) if self.from_logits else columns

    def confidence(self, probabilities):
        return ops.maximum(probabilities, 1 - probabilities)

    def cross_entropy(self, targets, outputs):
        # Of each decision, `(batch, num_classes)`.
        return ops.binary_crossentropy(
            ops.cast(targets, "float32"),
            self.columns(outputs),
            from_logits=self.from_logits,
        )

    def judge(self, policy, probabilities, training=None, **context):
        # Every decision is a problem of two classes.
        pairs = ops.stack([1 - probabilities, probabilities], axis=-1)
        targets, weights = policy(pairs, training=training)
        return targets[..., 1], weights

    def are_right(self, targets, truth):
        return ops.equal(targets > 0.5, ops.cast(truth, "bool"))

    def decide(self, probabilities):
        return (np.asarray(probabilities) > 0.5).astype("int64")

    def as_decisions(self, labels):
        return np.asarray(labels).astype("int64")

    def count_classes(self, labels, num_classes):
        return self.as_decisions(labels).sum(axis=0)

    def label_rows(self, labels, num_classes):
        return np.asarray(labels).astype("float32")

    def as_loss_takes(self, labels, num_classes):
        return self.label_rows(labels, num_classes)

    def pseudo_labels(self, probabilities):
        return probabilities


def weighted_mean(weights, losses):
    """Returns the mean of losses over the columns of each row, weighted.

    Args:
        weights: Float tensor of shape `(batch,)` or `(batch, num_columns)`.
        losses: Float tensor of shape `(batch,)` or `(batch, num_columns)`.

    Returns:
        Float tensor of shape `(batch,)`.
    """
    if len(weights.shape) == 2:
        return ops.mean(weights * losses, axis=-1)
    if len(losses.shape) == 2:
        losses = ops.mean(losses, axis=-1)
    return weights * losses
