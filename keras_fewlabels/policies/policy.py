import inspect

import keras
from keras import ops

from keras_fewlabels.policies.top_per_class import TopPerClass

_SIGNATURE = (
    "call(self, probabilities, training=None, indices=None, "
    "labeled_probabilities=None)"
)
_SOURCES = {
    "indices": (
        "the number of the unlabelled image in each row, an int tensor of "
        "shape `(batch,)`. `data.mix_labeled_unlabeled` supplies it"
    ),
    "labeled_probabilities": (
        "the student's class probabilities on labelled images, of shape "
        "`(num_labeled, num_classes)`. `models.NoisyStudentModel` supplies it"
    ),
}


class Policy(keras.layers.Layer):
    """Decides which pseudo-labels count, and how much.

    This is the base class of all policies. A policy gets the class
    probabilities that a teacher predicts for unlabelled images. It returns a
    target for each image, which the student learns, and a weight, by which
    the loss of the image is multiplied. `models.NoisyStudentModel` calls the
    policy for each batch, `callbacks.PseudoLabeler` for all images.

    To write a policy, define `call` with the four arguments below, and use
    those that it needs. State belongs in variables, so that it is saved,
    resumed and distributed with the model: create them in `build` with
    `add_state`, and change them only if `training`.

    Args:
        dtype: The dtype of targets and weights, or a Keras dtype policy. It
            is float32 by default, whatever the global dtype policy, because
            half precision rounds confidences close to 1 to 1.
        **kwargs: Other arguments of `keras.layers.Layer`, such as `name`.

    Attributes:
        soft: Boolean, whether the targets are distributions.
        per_output: Boolean, `False` by default. A class may set it to `True`
            if it judges each output `p` of a model of several labels by
            itself. It then gets the pairs `(1 - p, p)`, of shape `(batch,
            num_labels, 2)`, without `indices` and `labeled_probabilities`, and
            returns weights of shape `(batch, num_labels)`.

    Call arguments:
        probabilities: Float tensor of shape `(batch, num_classes)`, the
            teacher's class probabilities.
        training: Boolean. Variables change only if it is `True`.
        indices: Optional int tensor of shape `(batch,)`, the number of the
            unlabelled image in each row. An image has the same number in
            every epoch.
        labeled_probabilities: Optional float tensor of shape `(num_labeled,
            num_classes)`, the student's class probabilities on labelled
            images.

    Returns:
        `(targets, weights)`: floats of shapes `(batch, num_classes)` and
        `(batch,)`. The unlabelled loss is the mean over the batch of
        `weights * cross_entropy(targets, predictions)`. An empty batch has
        empty targets and weights, and changes no variable.

    Raises:
        TypeError: If a subclass is defined whose `call` does not take these
            arguments, or if a policy without `call` is constructed.
        ValueError: If the probabilities are not floats, `call` returns
            anything else than targets and weights, or a policy is called
            without `indices` or `labeled_probabilities` that it requires.

    Example:

    >>> class LeadPolicy(keras_fewlabels.policies.Policy):
    ...     def call(
    ...         self,
    ...         probabilities,
    ...         training=None,
    ...         indices=None,
    ...         labeled_probabilities=None,
    ...     ):
    ...         highest, _ = keras.ops.top_k(probabilities, 2)
    ...         lead = highest[:, 0] - highest[:, 1]
    ...         return probabilities, keras.ops.cast(lead > 0.5, lead.dtype)
    >>> targets, weights = LeadPolicy()(np.array([[0.8, 0.2], [0.6, 0.4]]))
    >>> keras.ops.convert_to_numpy(weights)
    array([1., 0.], dtype=float32)
    """

    # Whether the targets are distributions rather than one-hot rows.
    soft = False
    per_output = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        signature = inspect.signature(cls.call)
        context = dict.fromkeys(("training", *_SOURCES))
        try:
            signature.bind("self", "probabilities", **context)
        except TypeError as error:
            raise TypeError(
                f"All policies are called with the same arguments. Define "
                f"`def {_SIGNATURE}` in {cls.__name__}; it need not use all "
                f"of them. Received: call{signature}"
            ) from error

    def __init__(self, *, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, autocast=False, **kwargs)
        if type(self).call is Policy.call:
            raise TypeError(
                "`Policy` is a base class. Use one of `policies`, or define "
                f"`def {_SIGNATURE}` in a subclass. "
                f"Received: {type(self).__name__} without `call`"
            )

    def __call__(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        _check_probabilities(probabilities)
        context = {
            "indices": indices,
            "labeled_probabilities": labeled_probabilities,
        }
        # Keras has no place for `None` among the tensors of a layer.
        context = {k: v for k, v in context.items() if v is not None}
        if isinstance(probabilities, keras.KerasTensor):
            return super().__call__(probabilities, training=training, **context)
        # In mixed precision only the result is of half precision, because it
        # rounds confidences close to 1 to 1, and hardly moves averages.
        probabilities = ops.cast(probabilities, self.variable_dtype)
        if labeled_probabilities is not None:
            context["labeled_probabilities"] = ops.cast(
                labeled_probabilities, self.variable_dtype
            )
        if probabilities.shape[0] == 0:
            if not self.built:
                self.build(probabilities.shape)
            result = probabilities, probabilities[..., 0]
        else:
            result = super().__call__(
                probabilities, training=training, **context
            )
            _check_result(self, result, probabilities)
        return tuple(ops.cast(part, self.compute_dtype) for part in result)

    def call(
        self,
        probabilities,
        training=None,
        indices=None,
        labeled_probabilities=None,
    ):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        return tuple(input_shape), tuple(input_shape[:-1])

    def add_state(self, name, values, dtype=None):
        """Adds a variable that training changes, but no gradient.

        Call it in `build`. Under a `tf.distribute` strategy, every replica
        must assign the same value, such as a statistic of the batch of all
        replicas.

        Args:
            name: String, the name of the variable.
            values: Number or array, which the variable starts from.
            dtype: Optional string. By default it is the layer's
                `variable_dtype`.

        Returns:
            A variable of the shape of `values`.
        """
        return self.add_weight(
            shape=getattr(values, "shape", ()),
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                values, dtype
            ),
            dtype=dtype,
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name=name,
        )

    def require(self, **context):
        """Checks that the caller passed what the policy cannot do without.

        Args:
            **context: `indices` or `labeled_probabilities`, as they were
                passed to `call`.

        Raises:
            ValueError: If one of them is `None`.
        """
        for name, value in context.items():
            if value is None:
                raise ValueError(
                    f"{type(self).__name__} needs `{name}`: {_SOURCES[name]}. "
                    f"Received: {name}=None"
                )


def check_policy(policy):
    """Checks that an argument is a policy.

    Args:
        policy: Any object.

    Raises:
        ValueError: If it is not a `Policy`. The message says how to mend that
            for a `TopPerClass` and for other Keras layers.
    """
    if isinstance(policy, Policy):
        return
    hint = "Use one such as `policies.FixedThreshold(0.95)`."
    if isinstance(policy, TopPerClass):
        hint = (
            "`TopPerClass` compares all unlabelled images with each other. "
            "Pass it as `callbacks.PseudoLabeler(balance=...)`."
        )
    elif isinstance(policy, keras.layers.Layer):
        hint = (
            f"Derive {type(policy).__name__} from that class instead of "
            f"another layer, and define `def {_SIGNATURE}`."
        )
    raise ValueError(
        f"`policy` must be a `keras_fewlabels.policies.Policy`. {hint} "
        f"Received: policy={policy!r}"
    )


def _check_probabilities(probabilities):
    dtype = keras.backend.standardize_dtype(probabilities.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            "A policy takes probabilities, which are floats. Cast them with "
            "`keras.ops.cast(probabilities, 'float32')`. "
            f"Received: dtype={dtype}"
        )


def _check_result(policy, result, probabilities):
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    rank, num_classes = len(probabilities.shape), probabilities.shape[-1]
    if not (
        is_pair
        and _has_rank(result[0], rank)
        and _has_rank(result[1], rank - 1)
        and result[0].shape[-1:] in ((), (None,), (num_classes,))
    ):
        shapes = keras.tree.map_structure(lambda part: part.shape, result)
        raise ValueError(
            f"`call` of {type(policy).__name__} must return `(targets, "
            "weights)`, of shapes `(batch, num_classes)` and `(batch,)`. "
            f"Received: shapes={shapes}"
        )


def _has_rank(tensor, rank):
    # TensorFlow can lose the rank in a graph.
    is_unknown = getattr(tensor.shape, "rank", rank) is None
    return is_unknown or len(tensor.shape) == rank
