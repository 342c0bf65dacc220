"""Parts of this package work together with layers and models of keras-cv."""

import keras
import numpy as np
import pytest

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.layers import RandAugment, StochasticDepth
from keras_fewlabels.models import FixMatch, add_stochastic_depth

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (32, 12, 10, 3), "uint8")


@pytest.fixture
def keras_cv():
    # Its import takes seconds, which the other backends need not wait for.
    import keras_cv

    return keras_cv


@pytest.mark.tensorflow
@pytest.mark.parametrize("in_dataset", [True, False])
@pytest.mark.parametrize("name", ["RandomHue", "GridMask"])
def test_layer_is_an_op_of_rand_augment(name, in_dataset, keras_cv):
    import tensorflow as tf

    arguments = {"factor": 0.5, "value_range": (0, 255)}
    op = getattr(keras_cv.layers, name)(
        **(arguments if name == "RandomHue" else {})
    )
    layer = RandAugment(1, ops=["identity", op], seed=0)
    if in_dataset:
        dataset = tf.data.Dataset.from_tensors(IMAGES).map(layer)
        (output,) = (x.numpy() for x in dataset)
    else:
        output = keras.ops.convert_to_numpy(layer(IMAGES))
    changed = (output != IMAGES).any(axis=(1, 2, 3))
    assert 5 < changed.sum() < 27
    # The masks differ between images, and so do the hues.
    assert len(np.unique(output[changed] == 0, axis=0)) > 1
    copy = RandAugment.from_config(layer.get_config())
    assert type(copy.ops[1]) is type(op)


@pytest.mark.tensorflow
def test_dicts_pass_between_layers_of_both(keras_cv):
    import tensorflow as tf

    images = IMAGES.astype("float32")
    labels = np.eye(4, dtype="float32")[np.arange(32) % 4]
    mixed = tf.data.Dataset.from_tensors(
        {"images": images, "labels": labels}
    ).map(keras_cv.layers.MixUp(seed=0))
    (before,) = mixed.as_numpy_iterator()
    # MixUp draws anew in each pass, so the others read one of its batches.
    cached = tf.data.Dataset.from_tensors(before)
    inverted = cached.map(RandAugment(1, ops=["invert"]))
    flipped = inverted.map(keras_cv.layers.RandomFlip("horizontal", 1.0))
    (after,) = flipped.as_numpy_iterator()
    assert before.keys() == after.keys() == {"images", "labels"}
    np.testing.assert_array_equal(after["labels"], before["labels"])
    assert (before["labels"] % 1).any()
    np.testing.assert_allclose(
        after["images"], 255 - before["images"][:, :, ::-1], atol=1
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_layers_that_mix_labels_mix_pseudo_labels(name, keras_cv):
    student = keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    layer = getattr(keras_cv.layers, name)(seed=0)
    with pytest.raises(ValueError, match="Pass it as `mixing`"):
        FixMatch(student, noise=layer)
    # Other noise than the default, which takes long to trace.
    no_noise = keras.layers.Identity()
    model = FixMatch(student, mixing=layer, noise=no_noise, weak_noise=no_noise)
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = mix_labeled_unlabeled((IMAGES[:8], np.arange(8) % 4), IMAGES, 8, 2)
    logs = model.fit(data, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    # Images of one value each show the shares that their labels have.
    images = np.tile(np.eye(8, dtype="float32")[:, None, None], (1, 12, 10, 1))
    mixed, shares = model.mix(
        keras.ops.convert_to_tensor(images), keras.ops.eye(8)
    )
    assert ((shares.numpy() > 0) & (shares.numpy() < 1)).any()
    shown = mixed.numpy().mean(axis=(1, 2))
    if name == "MixUp":
        np.testing.assert_allclose(shown, shares, atol=1e-5)
    # CutMix counts the part of a hole outside of the image as well.
    assert (shares.numpy()[shown > 0] > 0).all()


@pytest.mark.tensorflow  # On JAX it takes half a minute.
def test_backbone_with_stochastic_depth_predicts_as_before(keras_cv):
    backbone = keras_cv.models.ResNetBackbone(
        stackwise_filters=[8, 16],
        stackwise_blocks=[2, 2],
        stackwise_strides=[1, 2],
        include_rescaling=True,
        input_shape=(32, 32, 3),
    )
    noisy = add_stochastic_depth(backbone)
    drops = [
        layer for layer in noisy.layers if isinstance(layer, StochasticDepth)
    ]
    assert len(drops) == 4
    images = RNG.uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(noisy(images), backbone(images), atol=1e-5)
    assert np.abs(noisy(images, training=True) - noisy(images)).max() > 1e-3
