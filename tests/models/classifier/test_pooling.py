import keras
import numpy as np
import pytest

from keras_fewlabels.models.classifier.pooling import pool

RNG = np.random.default_rng(0)
MAP, TOKENS, VECTORS = (
    RNG.random(shape) for shape in [(2, 3, 4, 5), (2, 6, 5), (2, 5)]
)
BACKBONE = keras.Sequential(name="net")


def pooled(features, pooling, num_prefix_tokens=0):
    inputs = keras.Input(features.shape[1:])
    outputs = pool(inputs, pooling, BACKBONE, num_prefix_tokens)
    if outputs is inputs:
        return features
    return keras.ops.convert_to_numpy(keras.Model(inputs, outputs)(features))


@pytest.mark.parametrize(
    "features, pooling, num_prefix_tokens, expected",
    [
        (MAP, "auto", 0, MAP.mean((1, 2))),
        (MAP, "avg", 0, MAP.mean((1, 2))),
        (MAP, "max", 0, MAP.max((1, 2))),
        (TOKENS, "auto", 0, TOKENS.mean(1)),
        (TOKENS, "auto", 2, TOKENS[:, 0]),
        (TOKENS, "token", 0, TOKENS[:, 0]),
        (TOKENS, "avg", 2, TOKENS[:, 2:].mean(1)),
        (TOKENS, "max", 2, TOKENS[:, 2:].max(1)),
        (VECTORS, "auto", 0, VECTORS),
        (VECTORS, "avg", 0, VECTORS),
    ],
)
def test_poolings(features, pooling, num_prefix_tokens, expected):
    found = pooled(features, pooling, num_prefix_tokens)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "features, pooling",
    [
        (MAP, "token"),
        (VECTORS, "token"),
        (VECTORS, "max"),
        (MAP[..., None], "avg"),
    ],
)
def test_features_that_do_not_fit(features, pooling):
    with pytest.raises(ValueError, match=r"one tensor of features.*'net'"):
        pooled(features, pooling)


def test_several_outputs_are_refused():
    features = {"P1": keras.Input((2, 2, 3)), "P2": keras.Input((1, 1, 3))}
    with pytest.raises(ValueError, match="P1"):
        pool(features, "auto", BACKBONE)
