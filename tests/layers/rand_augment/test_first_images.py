"""Images of another value range are refused, wherever the layer runs."""

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment

BACKEND = keras.backend.backend()
REFUSED = r"(?s)images in `value_range`.*Received.*values from"
LEVELS = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), "uint8")
BRIGHT = LEVELS.astype("float32")
RANGES = {
    "0 to 1": (BRIGHT / 255, (0, 255)),
    "-1 to 1": (BRIGHT / 127.5 - 1, (0, 255)),
    "standardized": ((BRIGHT - BRIGHT.mean()) / BRIGHT.std(), (0, 255)),
    "0 to 255": (BRIGHT, (0, 1)),
    "0 to 255, not -1 to 1": (BRIGHT, (-1, 1)),
    "half precision": ((BRIGHT / 255).astype("float16"), (0, 255)),
    "double precision": (BRIGHT.astype("float64") / 255, (0, 255)),
}
DARK = BRIGHT / 255


def make(value_range=(0, 255), ops=("invert",)):
    return RandAugment(1, value_range=value_range, ops=ops, seed=0)


every_range = pytest.mark.parametrize(
    "images, value_range", RANGES.values(), ids=RANGES
)


@every_range
def test_arrays_and_tensors(images, value_range):
    for convert in (np.asarray, keras.ops.convert_to_tensor):
        for part in (convert(images), convert(images[0])):
            with pytest.raises(ValueError, match=REFUSED):
                make(value_range)(part, training=True)


@every_range
@pytest.mark.parametrize("batched", [True, False])
def test_pipelines(images, value_range, batched):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(images)
    dataset = dataset.batch(2) if batched else dataset
    for options in ({}, {"index": 3}):
        layer = make(value_range)
        views = dataset.map(lambda x, o=options, f=layer: f(x, **o))
        with pytest.raises(tf.errors.OpError, match=REFUSED):
            list(views)


@pytest.mark.tensorflow
@every_range
def test_graphs(images, value_range):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=REFUSED):
        tf.function(make(value_range))(tf.constant(images))


@pytest.mark.tensorflow
def test_compiled_calls_give_no_numbers():
    import tensorflow as tf

    step = tf.function(make(), jit_compile=True)
    assert np.isnan(step(tf.constant(DARK))).all()
    assert np.isfinite(tf.function(make(), jit_compile=True)(BRIGHT)).all()


def fit(images, layer, **options):
    model = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layer,
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse", **options)
    labels = np.zeros((len(images), 2))
    return model.fit(images, labels, batch_size=2, verbose=0).history["loss"]


def test_fit():
    with pytest.raises(Exception, match=REFUSED):
        fit(DARK, make())
    assert np.isfinite(fit(BRIGHT, make())).all()


@pytest.mark.tensorflow
def test_fit_that_xla_compiles_has_no_loss():
    assert np.isnan(fit(DARK, make(), jit_compile=True)).all()
    assert np.isfinite(fit(BRIGHT, make(), jit_compile=True)).all()


def stream(kind):
    """Bright images first, then dark ones, by themselves and in batches."""
    bright = BRIGHT[:1] if kind == "single" else BRIGHT
    dark = DARK[:1] if kind == "single" else DARK
    return np.concatenate([bright, dark, bright, dark])


@pytest.mark.parametrize("kind", ["single", "batches"])
def test_dark_images_are_right_among_bright_ones(kind):
    images = stream(kind)
    size = len(images) // 4
    layer = make()
    for start in range(0, len(images), size):
        part = images[start : start + size]
        output = keras.ops.convert_to_numpy(layer(part, training=True))
        np.testing.assert_allclose(output, 255 - np.round(part), atol=1e-3)


@pytest.mark.parametrize("batched", [True, False])
def test_dark_images_are_right_in_a_pipeline(batched):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(stream("batches"))
    dataset = dataset.batch(4) if batched else dataset
    for options in ({}, {"index": 3}):
        layer = make()
        views = dataset.map(lambda x, o=options, f=layer: f(x, **o))
        assert np.isfinite([np.max(x) for x in views]).all()


def test_black_images_tell_nothing():
    layer = make()
    layer(np.zeros((2, 4, 4, 1), "float32"))
    with pytest.raises(ValueError, match=REFUSED):
        layer(DARK)


def test_inference_looks_at_nothing():
    np.testing.assert_array_equal(make()(DARK, training=False), DARK)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("shape", [(0, 6, 5, 3), (2, 0, 5, 3)])
def test_an_empty_batch_stays_empty(shape, dtype):
    for ops in (RandAugment.OPS, ("rotate", keras.layers.Rescaling(0.5))):
        layer = make(ops=ops)
        output = layer(np.zeros(shape, dtype))
        assert output.shape == shape
        assert keras.backend.standardize_dtype(output.dtype) == dtype


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_only_the_first_images_are_looked_at_with_an_index(jit_compile):
    import tensorflow as tf

    layer = make()
    step = tf.function(
        lambda x, index: layer(x, training=True, index=index),
        jit_compile=jit_compile,
    )
    for images in (BRIGHT, DARK):
        outputs = step(tf.constant(images), tf.constant(3))
        assert np.isfinite(outputs.numpy()).all()


def test_arrays_of_another_range_pass_through_in_inference():
    outputs = make()(BRIGHT / 255, training=False)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(outputs), BRIGHT / 255
    )
