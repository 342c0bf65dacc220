"""Whatever runs the ops, eager calls give the same images."""

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment

tf = pytest.importorskip("tensorflow")


def some_images(batch_size=64):
    shape = (batch_size, 12, 10, 3)
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


def make(ops=("rotate", "contrast")):
    return RandAugment(ops=ops, seed=3)


def eager_calls(images, count, **kwargs):
    layer = make(**kwargs)
    return [keras.ops.convert_to_numpy(layer(images)) for _ in range(count)]


def test_pipeline_runs_every_op_as_eager_calls_do():
    # On JAX and torch the pipeline calls their own executor back.
    images = some_images()
    dataset = tf.data.Dataset.from_tensors(images).repeat(2)
    dataset = dataset.map(make(ops=RandAugment.OPS))
    assert dataset.element_spec.shape == images.shape
    expected = eager_calls(images, 2, ops=RandAugment.OPS)
    np.testing.assert_array_equal(list(dataset), expected)


def test_pipeline_of_unknown_sizes_equals_eager_calls():
    images = some_images()

    def generate():
        yield images
        yield images[:, :7, :8]

    signature = tf.TensorSpec((None, None, None, 3), "uint8")
    dataset = tf.data.Dataset.from_generator(
        generate, output_signature=signature
    )
    outputs = list(dataset.map(make()))
    layer = make()
    for output, batch in zip(outputs, generate(), strict=True):
        expected = keras.ops.convert_to_numpy(layer(batch))
        np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("known", [True, False])
def test_pipeline_of_single_images_equals_eager_calls(known):
    images = some_images(6)
    shape = (12, 10, 3) if known else (None, None, 3)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(images), output_signature=tf.TensorSpec(shape, "uint8")
    ).map(make())
    assert dataset.element_spec.shape.as_list() == list(shape)
    layer = make()
    for output, image in zip(dataset, images, strict=True):
        expected = keras.ops.convert_to_numpy(layer(image))
        np.testing.assert_array_equal(output, expected)


@pytest.mark.tensorflow
def test_compiled_step_equals_eager_calls_and_traces_once():
    traces = []
    layer = make()

    @tf.function(jit_compile=True)
    def step(images):
        traces.append(images)
        return layer(images)

    images = some_images()
    for expected in eager_calls(images, 3):
        np.testing.assert_array_equal(step(images), expected)
    assert len(traces) == 1


@pytest.mark.tensorflow
def test_layers_of_equal_settings_share_one_compiled_function():
    def compiled(batch_size=8, dtype="uint8", **kwargs):
        layer = RandAugment(ops=["rotate", "contrast"], **kwargs)
        signature = tf.TensorSpec((batch_size, 12, 10, 3), dtype)
        step = tf.function(layer, input_signature=[signature])
        graph = step.get_concrete_function().graph.as_graph_def()
        return {
            function.signature.name
            for function in graph.library.function
            if function.attr["_XlaMustCompile"].b
        }

    first = compiled(seed=1)
    assert len(first) == 1
    # Seed, strength, values and dtype are changed around it, not in it.
    others = {"seed": 2, "magnitude": 5, "value_range": (0, 1)}
    assert compiled(dtype="float32", **others) == first
    for other in (
        {"batch_size": 7},
        {"num_ops": 1},
        {"interpolation": "nearest"},
        {"fill_value": 0},
    ):
        assert compiled(**other).isdisjoint(first)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "interpolation, dtype", [("bilinear", "uint8"), ("nearest", "float32")]
)
def test_graph_of_unknown_sizes_equals_eager_calls(interpolation, dtype):
    def noise():
        # So many images that each op is drawn.
        return RandAugment(
            2, ops=RandAugment.OPS, interpolation=interpolation, seed=3
        )

    signature = tf.TensorSpec((None, None, None, 3), dtype)
    step = tf.function(noise(), input_signature=[signature])
    layer = noise()
    images = some_images().astype(dtype)
    assert step(images[:0]).shape == (0, 12, 10, 3)
    layer.seed_generator.next()
    for batch in (images, images[:3, :7], images[:1, :, :5]):
        expected = keras.ops.convert_to_numpy(layer(batch))
        np.testing.assert_array_equal(step(batch), expected)


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_takes_an_empty_batch_of_known_sizes(jit_compile, dtype):
    images = some_images(3).astype(dtype)
    layer = RandAugment(2, ops=["rotate", "equalize"])
    step = tf.function(
        layer,
        input_signature=[tf.TensorSpec((None, *images.shape[1:]), dtype)],
        jit_compile=jit_compile,
    )
    assert step(images[:0]).shape == (0, 12, 10, 3)
    # What an empty batch needs, others do not see.
    layer.seed_generator.state.assign([1, 0])
    found = step(images).numpy()
    layer.seed_generator.state.assign([1, 0])
    expected = keras.ops.convert_to_numpy(layer(images))
    np.testing.assert_array_equal(found, expected)


# By itself, Keras compiles on JAX alone, and where there is an accelerator.
@pytest.mark.parametrize(
    "jit_compile", ["auto", pytest.param(False, marks=pytest.mark.jax)]
)
def test_fit_of_unknown_sizes(jit_compile):
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            RandAugment(2, ops=["rotate", "shear_x", "translate_y"]),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse", jit_compile=jit_compile)
    for images in (some_images(4), some_images(4)[:, :7], some_images(1)):
        logs = model.fit(images, np.zeros((len(images), 2)), verbose=0).history
        assert np.isfinite(logs["loss"]).all()


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="has a device without values"
)
def test_shapes_without_values_on_torch():
    import torch

    images = torch.zeros((4, 12, 10, 3), dtype=torch.uint8, device="meta")
    with keras.device("meta"):
        output = make()(images, index=0)
    assert output.shape == images.shape and output.device.type == "meta"
