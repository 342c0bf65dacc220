"""A policy called with what it wants to know."""

import inspect

import keras

ORIGINS = {
    "indices": (
        "which unlabelled image each row is, an int tensor of shape "
        "`(batch,)`. It comes from `data.mix_labeled_unlabeled`"
    ),
    "labeled_probabilities": (
        "the student's class probabilities on labelled images, of shape "
        "`(num_labeled, num_classes)`. It comes from "
        "`models.NoisyStudentModel`"
    ),
}


def ask_policy(policy, probabilities, training=None, **context):
    """Calls a policy with that part of the context which it names.

    A policy's `call` has the arguments `probabilities` and, where it has
    state, `training`. It may name others, such as `indices`, to be given
    them; with a `**` argument it gets all there are.

    Args:
        policy: Layer that maps probabilities to `(targets, weights)`.
        probabilities: Float tensor of shape `(batch, num_classes)`.
        training: Boolean.
        **context: What else is known of the batch, by name; `None` for what
            is not known.

    Returns:
        `(targets, weights)` of the policy.

    Raises:
        ValueError: If the probabilities are no floats, or the policy names an
            argument without default that is not known.
    """
    dtype = keras.backend.standardize_dtype(probabilities.dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            "A policy takes probabilities, which are floats. Cast them with "
            "`keras.ops.cast(probabilities, 'float32')`. "
            f"Received: dtype={dtype}"
        )
    context = {k: value for k, value in context.items() if value is not None}
    _, *parameters = inspect.signature(policy.call).parameters.values()
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        names = [parameter.name for parameter in parameters]
        context = {k: context[k] for k in names if k in context}
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind
        in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.name != "training"
    ]
    check_known(policy, **{name: context.get(name) for name in needed})
    return policy(probabilities, training=training, **context)


def check_known(policy, **context):
    """Refuses a call without something that the policy cannot do without.

    Args:
        policy: The policy that is called.
        **context: What it needs, by name.

    Raises:
        ValueError: If one of them is `None`.
    """
    for name, value in context.items():
        if value is None:
            origin = ORIGINS.get(name, "which is not known here")
            raise ValueError(
                f"{type(policy).__name__} needs `{name}`: {origin}. "
                f"Received: {name}=None"
            )


def check_policy(policy):
    """Refuses what is no policy.

    Args:
        policy: What should be a policy.

    Raises:
        ValueError: If it is no Keras layer.
    """
    if not isinstance(policy, keras.layers.Layer):
        raise ValueError(
            "`policy` must be a Keras layer that maps probabilities to "
            "`(targets, weights)`, such as `policies.FixedThreshold(0.95)`. "
            f"Received: policy={policy!r}"
        )
