"""From the output of a backbone to one vector per image."""

from keras import layers

POOLINGS = ("auto", "avg", "max", "token")
_POOLED = {
    (4, "avg"): layers.GlobalAveragePooling2D,
    (4, "max"): layers.GlobalMaxPooling2D,
    (3, "avg"): layers.GlobalAveragePooling1D,
    (3, "max"): layers.GlobalMaxPooling1D,
}


def pool(features, pooling, backbone, num_prefix_tokens=0):
    """Returns one vector of features per image.

    Args:
        features: Output of the backbone: a `KerasTensor` of shape
            `(batch, height, width, channels)`, `(batch, tokens, channels)` or
            `(batch, channels)`.
        pooling: One of `POOLINGS`.
        backbone: Keras model, to name it in errors.
        num_prefix_tokens: Int, the tokens in front of those of the patches,
            of which the first is the class token.

    Returns:
        `KerasTensor` of shape `(batch, channels)`.

    Raises:
        ValueError: If the backbone has several outputs, or its features do
            not fit `pooling`.
    """
    rank = len(getattr(features, "shape", ()))
    if pooling == "auto":
        pooling = "token" if rank == 3 and num_prefix_tokens else "avg"
    if rank == 2 and pooling == "avg":
        return features
    if rank == 3:
        _, num_tokens, _ = features.shape
        if pooling == "token":
            features = layers.Cropping1D((0, num_tokens - 1), name="token")(
                features
            )
            return layers.Flatten(name="pooling")(features)
        if num_prefix_tokens:
            features = layers.Cropping1D(
                (num_prefix_tokens, 0), name="patches"
            )(features)
    if (rank, pooling) not in _POOLED:
        received = getattr(features, "shape", features)
        raise ValueError(
            "The backbone must give one tensor of features: a feature map "
            "(batch, height, width, channels), the tokens of a transformer "
            '(batch, tokens, channels), which alone have `pooling="token"`, or '
            "vectors (batch, channels), which are not pooled any more. "
            f"Received: pooling={pooling!r} with backbone={backbone.name!r}, "
            f"which gives {received}"
        )
    return _POOLED[rank, pooling](name="pooling")(features)
