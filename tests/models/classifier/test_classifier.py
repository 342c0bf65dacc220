import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.foundation import backbone_of, head_input
from keras_fewlabels.models import classifier
from keras_fewlabels.models.classifier.applications import build_application
from keras_fewlabels.models.standalone.foreign_parts import foreign_parts

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 32, 32, 3)).astype("uint8")
LABELS = np.arange(12) % 3


def net(num_channels=3, size=None, name="net"):
    """A small residual backbone of the user, which scales nothing."""
    images = keras.Input((size, size, num_channels))
    x = layers.Conv2D(8, 4, 4)(images)
    x = layers.BatchNormalization(momentum=0.8)(x)
    branch = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    return keras.Model(images, layers.Add()([x, branch]), name=name)


def small(backbone=None, classes=3, image_size=32, **options):
    options = {"preprocessing": (1 / 128, -127 / 128), **options}
    return classifier(backbone or net(), classes, image_size, **options)


def compiled(model):
    model.compile(
        keras.optimizers.SGD(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def scores_of(model, images=IMAGES):
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.mark.tensorflow  # On JAX it takes most of a minute.
@pytest.mark.parametrize(
    "name, module",
    [("VGG16", "vgg16"), ("mobilenet_v3_small", "mobilenet_v3")],
)
def test_is_the_backbone_behind_its_preprocessing(name, module):
    model = classifier(name, 3, 32, weights=None)
    backbone = backbone_of(model)
    function = getattr(keras.applications, module).preprocess_input
    features = backbone(function(IMAGES.astype("float32")), training=False)
    features = keras.ops.convert_to_numpy(features).mean((1, 2))
    front = keras.Model(model.input, head_input(model))
    np.testing.assert_allclose(scores_of(front), features, rtol=1e-4, atol=1e-6)
    kernel, bias = model.get_layer("predictions").get_weights()
    expected = keras.ops.softmax(features @ kernel + bias)
    expected = keras.ops.convert_to_numpy(expected)
    np.testing.assert_allclose(scores_of(model), expected, atol=1e-5)


@pytest.mark.tensorflow
def test_a_network_pools_before_its_last_normalization():
    build = keras.applications.ConvNeXtTiny
    model = classifier("ConvNeXtTiny", 3, 32, weights=None)
    assert [layer.name for layer in model.layers] == [
        *("images", "convnext_tiny", "dropout", "predictions")
    ]
    # As with its top, whose layers before the head are these.
    whole = build(weights=None, input_shape=(32, 32, 3), classes=3)
    backbone = model.get_layer("convnext_tiny")
    backbone.set_weights(whole.get_weights()[:-2])
    before = keras.Model(whole.input, whole.layers[-2].output)
    np.testing.assert_allclose(
        scores_of(backbone), scores_of(before), rtol=1e-5, atol=1e-5
    )
    model = classifier("ConvNeXtTiny", 3, 32, weights=None, pooling="max")
    assert model.layers[2].name == "pooling"


def test_own_backbone():
    backbone = net()
    model = small(backbone)
    assert backbone_of(model) is backbone
    assert model.name == "net_classifier" and not model.compiled
    assert model.output_shape == (None, 3)
    features = backbone((IMAGES - np.float32(127)) / 128, training=False)
    features = keras.ops.convert_to_numpy(features).mean((1, 2))
    front = keras.Model(model.input, head_input(model))
    np.testing.assert_allclose(scores_of(front), features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), scores_of(model), atol=1e-5
    )


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1), (0.0, 255.0)])
def test_images_of_other_ranges(value_range):
    backbone = net()
    low, high = value_range
    model, other = small(backbone), small(backbone, value_range=value_range)
    other.set_weights(model.get_weights())
    images = IMAGES.astype("float32") / 255 * (high - low) + low
    expected = scores_of(model)
    np.testing.assert_allclose(scores_of(other, images), expected, atol=1e-5)


def test_grey_images():
    grey = IMAGES[..., :1]
    backbone = net()
    model, other = small(backbone), small(backbone, color_mode="grayscale")
    other.set_weights(model.get_weights())
    assert other.input_shape == (None, 32, 32, 1)
    expected = scores_of(model, grey.repeat(3, axis=-1))
    np.testing.assert_allclose(scores_of(other, grey), expected, atol=1e-6)
    own = small(net(num_channels=1), color_mode="grayscale")
    assert scores_of(own, grey).shape == (12, 3)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_keras_alone_saves_and_loads_it(dtype, tmp_path):
    keras.config.set_dtype_policy(dtype)
    model = small(
        preprocessing="caffe", value_range=(0, 1), color_mode="grayscale"
    )
    images = IMAGES[..., :1].astype("float32") / 255
    scores = scores_of(model, images)
    assert scores.dtype == "float32"
    assert foreign_parts(model.get_config()) == {}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert backbone_of(loaded).name == "net"
    np.testing.assert_array_equal(scores_of(loaded, images), scores)


def test_weights_of_a_file(tmp_path):
    file = tmp_path / "vgg.weights.h5"
    source = build_application("VGG16", (32, 32), None)
    source.save_weights(file)
    for weights in (file, str(file)):
        model = classifier("VGG16", ["cat", "dog"], (32, 40), weights)
        assert model.input_shape == (None, 32, 40, 3)
        assert model.output_shape == (None, 2)
        found = backbone_of(model).get_weights()
        for mine, theirs in zip(found, source.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_arguments_of_the_head():
    model = small(dropout=0.0, activation=None, pooling="max", name="mine")
    assert model.name == "mine"
    assert [layer.name for layer in model.layers] == [
        *("images", "preprocessing", "net", "pooling", "predictions")
    ]
    assert isinstance(model.layers[-2], layers.GlobalMaxPooling2D)
    assert not np.allclose(scores_of(model).sum(axis=1), 1)
    rate = small(dropout=0.7).get_layer("dropout").rate
    assert rate == 0.7


def test_heads_of_sigmoids():
    one = small(classes=1, activation="sigmoid")
    assert one.output_shape == (None, 1)
    assert small(classes=1, activation=None).output_shape == (None, 1)
    several = small(classes=["cat", "dog", "bee"], activation="sigmoid")
    for model, labels in (
        (one, LABELS[:, None] == 0),
        (several, LABELS[:, None] != np.arange(3)),
    ):
        scores = scores_of(model)
        assert 0 < scores.min() < scores.max() < 1
        assert not np.allclose(scores.sum(axis=1), 1)
        labels = labels.astype("float32")
        loss = "binary_crossentropy"
        trained = kfl.models.NoisyStudentModel(model)
        trained.compile(keras.optimizers.SGD(0.01), loss)
        mixed = kfl.data.mix_labeled_unlabeled((IMAGES, labels), IMAGES, 6)
        assert np.isfinite(trained.fit(mixed, verbose=0).history["loss"]).all()


def test_dropout_is_in_training_alone():
    model = small(dropout=0.9)
    np.testing.assert_array_equal(scores_of(model), scores_of(model))
    before = scores_of(model)
    noisy = keras.ops.convert_to_numpy(model(IMAGES, training=True))
    assert np.abs(noisy - before).max() > 1e-3


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.conv = layers.Conv2D(4, 3)

    def call(self, images):
        return self.conv(images)


def test_a_subclassed_backbone():
    model = small(Subclassed())
    assert scores_of(model).shape == (12, 3)


def with_top(*head):
    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    for layer in head or [layers.Dense(9, activation="softmax")]:
        x = layer(x)
    return keras.Model(inputs, x)


def of_two_images():
    inputs = [keras.Input((32, 32, 3)) for _ in range(2)]
    return keras.Model(inputs, layers.Conv2D(4, 3)(layers.Add()(inputs)))


# Name: (expected in the message, the call that must raise).
CASES = {
    "one class": (
        "`classes` must be an int, 2 or more.*1 with `activation=.sigmoid",
        lambda: small(classes=1),
    ),
    "one name": ("`classes` must be", lambda: small(classes=["cat"])),
    "a name twice": (
        "`classes` must be a list of strings",
        lambda: small(classes=["cat", "cat"]),
    ),
    "image size of three": (
        r"`image_size` must be an int, or a pair",
        lambda: small(image_size=(32, 32, 3)),
    ),
    "image size 0": ("`image_size` must be", lambda: small(image_size=0)),
    "name of no network": (
        r"Did you mean 'MobileNetV2'\?",
        lambda: classifier("MobilNetV2", 3, 32),
    ),
    "another object": (
        "`backbone` must be the name of a network",
        lambda: classifier(7, 3, 32),
    ),
    "no preprocessing": (
        "are not known",
        lambda: small(preprocessing=None),
    ),
    "another pooling": ("`pooling` must be", lambda: small(pooling="mean")),
    "dropout of 1": ("`dropout` must be", lambda: small(dropout=1.0)),
    "another range": (
        "`value_range` must be",
        lambda: small(value_range=(255, 0)),
    ),
    "another color mode": (
        "`color_mode` must be",
        lambda: small(color_mode="grey"),
    ),
    "a backbone with its top": (
        "Build it with `include_top=False`",
        lambda: classifier(with_top(), 3, 32),
    ),
    "a backbone with a head of several labels": (
        "must not end with a classifier",
        lambda: classifier(with_top(layers.Dense(9, activation="sigmoid")), 3),
    ),
    "a backbone with a softmax of its own": (
        "must not end with a classifier",
        lambda: classifier(with_top(layers.Dense(9), layers.Softmax()), 3),
    ),
    "a backbone of two images": (
        "The backbone must take images and nothing else",
        lambda: small(of_two_images(), image_size=None),
    ),
    "weights beside a model": (
        r"`backbone.load_weights\(path\)`",
        lambda: small(weights="net.weights.h5"),
    ),
    "colours for a grey backbone": (
        '`color_mode="grayscale"`',
        lambda: small(net(num_channels=1)),
    ),
    "another size": (
        r"`input_shape=\(32, 32, 3\)`",
        lambda: small(net(size=64)),
    ),
    "no images": (
        "must take images of shape",
        lambda: small(keras.Sequential([keras.Input((4,)), layers.Dense(9)])),
    ),
}


@pytest.mark.parametrize("message, do_wrong", CASES.values(), ids=CASES)
def test_wrong_arguments_are_refused(message, do_wrong):
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        do_wrong()


def test_works_with_the_rest_of_the_package(tmp_path):
    model = compiled(small())
    backbone = backbone_of(model)
    kfl.loops.fit_head(model, backbone, (IMAGES, LABELS), verbose=0)
    labeler = kfl.callbacks.PseudoLabeler(
        IMAGES, policy=kfl.policies.FixedThreshold(0.0)
    )
    model.fit(
        labeler.mixed_with((IMAGES, LABELS), batch_size=4),
        epochs=2,
        verbose=0,
        callbacks=[labeler, kfl.callbacks.FineTune("net", {0: 0, 1: "all"})],
    )
    noisy = kfl.models.add_stochastic_depth(model)
    alone = kfl.models.standalone(noisy, ["a", "b", "c"], value_range=(0, 255))
    alone.save(tmp_path / "alone.keras")
    loaded = keras.saving.load_model(tmp_path / "alone.keras")
    np.testing.assert_allclose(
        scores_of(loaded), scores_of(model), rtol=1e-4, atol=1e-6
    )


@pytest.mark.slow
def test_is_the_student_of_a_run():
    images = IMAGES.repeat(3, axis=0)
    trained, _ = kfl.loops.fit_noisy_student(
        lambda: compiled(small()),
        (images, LABELS.repeat(3)),
        images,
        settings={
            "supervised_steps": 1,
            "student_steps": 1,
            "steps_per_epoch": 1,
        },
        verbose=0,
    )
    assert backbone_of(trained).name == "net"
    assert scores_of(trained).shape == (12, 3)
