import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import (
    check_bool,
    graph_of,
    head_input,
    last_dense,
)
from keras_fewlabels.layers.replica_seed_generator import ReplicaSeedGenerator
from keras_fewlabels.models.copy_model import copy_model
from keras_fewlabels.models.student.mixed_images import label_rows
from keras_fewlabels.policies.parts import global_batch

# The side of an image for a model that takes images of any size.
_ANY_SIZE = 64


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class BalancedHead(keras.layers.Layer):
    """A second head on the features of a student, which learns even classes.

    Frequent classes fill batches and pseudo-labels, and a head prefers them.
    This head learns an image of class `c` with the probability
    `min(counts) / counts[c]`. No gradient flows from it into the features,
    which the student learns from all images.

    Reference:
        - [Lee et al., 2021](https://arxiv.org/abs/2110.10368), ABC. Here the
          labels are counted while training.

    Args:
        threshold: Float, the least confidence of pseudo-labels.
        seed: Optional int that makes the draws reproducible.

    Call arguments:
        features: Float tensor of shape `(batch, num_features)`.

    Returns:
        Float32 logits of shape `(batch, num_classes)`.
    """

    def __init__(self, threshold=0.95, seed=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        self.threshold = threshold
        self.seed_generator = ReplicaSeedGenerator(seed)

    def build_for(self, student):
        """Creates weights like those of the head of a built student."""
        check_head(student)
        head = last_dense(student)
        # One sigmoid unit tells two classes apart.
        num_classes = max(2, head.units)
        self.dense = keras.layers.Dense(num_classes, dtype="float32")
        self.dense.build((None, head_input(student).shape[-1]))
        self.counts = self.add_weight(
            shape=(num_classes,),
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="counts",
        )
        self.built = True

    def call(self, features):
        return self.dense(ops.cast(features, "float32"))

    def rates(self):
        """Returns the probability that an image of each class is learned."""
        counts = ops.convert_to_tensor(self.counts)
        most = ops.maximum(ops.max(counts), 1)
        seen = ops.where(counts > 0, counts, most)
        return ops.min(seen) / seen

    def loss(self, features, labels, sample_weight, weak_features, progress):
        """Computes the loss of the head, and counts the labels.

        Args:
            features: Float tensor of shape `(num_rows, num_features)`, of the
                labelled images and the views of the unlabelled ones.
            labels: Class numbers or one-hot rows of the labelled images.
            sample_weight: Optional tensor `(num_labeled,)`.
            weak_features: Float tensor `(num_unlabeled, num_features)`, of
                weak views in inference.
            progress: Float tensor in `[0, 1]`, the share of the fit done.
                Frequent classes are left out of the unlabelled images little
                by little.

        Returns:
            Scalar tensor.
        """
        logits = self(ops.stop_gradient(features))
        labels = label_rows(labels, logits.shape[-1])
        num_labeled = ops.shape(labels)[0]
        self.counts.assign_add(ops.sum(global_batch(labels), axis=0))
        rates = self.rates()
        weights = self._mask(labels, rates)
        if sample_weight is not None:
            weights *= ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
        loss = ops.mean(weights * _cross_entropy(labels, logits[:num_labeled]))
        targets = ops.stop_gradient(ops.softmax(self(weak_features)))
        likeliest = ops.one_hot(ops.argmax(targets, -1), logits.shape[-1])
        weights = self._mask(likeliest, 1 - progress * (1 - rates))
        confident = ops.max(targets, axis=-1) >= self.threshold
        weights *= ops.cast(confident, "float32")
        views = ops.reshape(logits[num_labeled:], (-1, *ops.shape(targets)))
        return loss + ops.mean(weights * _cross_entropy(targets, views))

    def _mask(self, rows, rates):
        rates = ops.sum(rows * rates, axis=-1)
        draws = keras.random.uniform(
            ops.shape(rates), dtype="float32", seed=self.seed_generator
        )
        return ops.cast(draws < rates, "float32")

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seed"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        self.counts.assign(store["0"])
        self.seed_generator.state.assign(store["seed"])

    def put_into(self, student):
        """Returns a copy of a student with this head in place of its own."""
        copy = copy_model(student)
        kernel, bias = self.dense.get_weights()
        if last_dense(copy).units == 1:
            kernel, bias = as_one_output(kernel), as_one_output(bias)
        last_dense(copy).set_weights([kernel, bias])
        return copy


def as_one_output(columns):
    """Returns the logit of a sigmoid for the two logits of a softmax."""
    return columns[..., 1:] - columns[..., :1]


def check_balanced_head(balanced_head, mixing, blank_value):
    """Checks that a second head is alone in what it does.

    Raises:
        ValueError: If `balanced_head` is no Boolean, or comes with `mixing`
            or `blank_value`.
    """
    check_bool(balanced_head, "balanced_head")
    if balanced_head and not (mixing is None and blank_value is None):
        raise ValueError(
            "`balanced_head` learns labels that are not mixed, and makes a "
            "blank image needless: leave out `mixing` and `blank_value`. "
            f"Received: mixing={mixing!r}, blank_value={blank_value!r}"
        )


def features_and_outputs(student):
    """Returns a model of the layers of a student, for features and outputs."""
    return keras.Model(
        graph_of(student).inputs,
        [head_input(student), graph_of(student).outputs[0]],
    )


def check_head(student):
    """Checks that the logits of a student are those of its last `Dense` layer.

    Raises:
        ValueError: If they are not.
    """
    head = last_dense(student)
    if head is not None and head.use_bias:
        copy = copy_model(student)
        bias = -1 - np.arange(head.units, dtype="float32")
        last_dense(copy).set_weights([np.zeros(head.kernel.shape), bias])
        shape = [side or _ANY_SIZE for side in student.inputs[0].shape[1:]]
        outputs = copy(np.zeros((1, *shape)), training=False)
        outputs = ops.convert_to_numpy(ops.cast(outputs, "float32"))
        activation = ops.sigmoid if head.units == 1 else ops.softmax
        for expected in (bias, ops.convert_to_numpy(activation(bias))):
            if outputs.shape[1:] == bias.shape and np.allclose(
                outputs[0], expected, atol=1e-2
            ):
                return
    raise ValueError(
        "`balanced_head` takes the place of the last `Dense` layer, so the "
        "student must end with one that has a bias and a unit per class, or "
        "one unit and a sigmoid, and must be functional or `Sequential`. "
        f"Received: student={student.name!r}"
    )


def _cross_entropy(targets, logits):
    return -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1)
