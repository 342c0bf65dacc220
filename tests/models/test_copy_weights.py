import keras
import numpy as np
import pytest

import keras_fewlabels as kfl
from keras_fewlabels.models import add_stochastic_depth
from keras_fewlabels.models.copy_model import copy_model
from keras_fewlabels.models.copy_weights import copy_weights, have_same_weights

IMAGES = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype("float32")


def conv(filters, kernel_size, name=None):
    return keras.layers.Conv2D(filters, kernel_size, padding="same", name=name)


def residual(named=True, nested=False):
    """A block whose projected shortcut is made before its branch."""
    names = ("shortcut", "branch", "norm") if named else (None,) * 3
    inputs = keras.Input((6, 6, 2))
    shortcut = conv(4, 1, names[0])(inputs)
    branch = conv(4, 3, names[1])(inputs)
    branch = keras.layers.BatchNormalization(name=names[2])(branch)
    outputs = keras.layers.Add()([branch, shortcut])
    if nested:
        block = keras.Model(inputs, outputs, name="block")
        inputs = keras.Input((6, 6, 2))
        outputs = block(inputs)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    return keras.Model(inputs, keras.layers.Dense(3)(outputs))


def randomize(model):
    random = np.random.default_rng(1)
    model.set_weights(
        [random.random(weight.shape) + 0.5 for weight in model.weights]
    )
    return model


def outputs_of(model):
    return keras.ops.convert_to_numpy(model(IMAGES, training=False))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_to_a_model_with_stochastic_depth_and_back(named, nested):
    student = residual(named, nested)
    noisy = randomize(add_stochastic_depth(student, 0.5))
    assert not np.allclose(outputs_of(noisy), outputs_of(student))
    copy_weights(noisy, student)
    np.testing.assert_array_equal(outputs_of(noisy), outputs_of(student))
    fresh = add_stochastic_depth(residual(named, nested), 0.5)
    if named:
        copy_weights(student, fresh)
        np.testing.assert_array_equal(outputs_of(student), outputs_of(fresh))


def test_to_a_copy():
    student = randomize(residual())
    copy = keras.models.clone_model(student)
    copy_weights(student, copy)
    np.testing.assert_array_equal(outputs_of(student), outputs_of(copy))
    # They are copies: what one learns, the other does not.
    randomize(copy).layers[-1].bias.assign([9.0, 9.0, 9.0])
    assert not np.allclose(outputs_of(student), outputs_of(copy))


def two_branches(order):
    """Layers of the same shapes, made in an order of their own."""
    inputs = keras.Input((2,))
    layers = {name: keras.layers.Dense(2, name=name) for name in order}
    parts = [layers[name](inputs) for name in order]
    return keras.Model(inputs, parts)


def test_layers_of_the_same_shape_are_told_apart_by_their_names():
    source, target = two_branches("ab"), two_branches("ba")
    randomize(source)
    copy_weights(source, target)
    for name in "ab":
        for ours, theirs in zip(
            source.get_layer(name).get_weights(),
            target.get_layer(name).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


def chain(width, names):
    layers = [
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name=name)])
        for name in names
    ]
    return keras.Sequential(
        [keras.Input((4,)), *layers, keras.layers.Dense(width, name="head")],
        name="net",
    )


@pytest.mark.parametrize(
    "source, target",
    [
        # Other weights.
        (lambda: two_branches("ab"), lambda: two_branches("abc")),
        # Another order of layers that have one name.
        (lambda: chain(3, "xxy"), lambda: chain(3, "xyx")),
    ],
)
def test_weights_that_cannot_be_told_apart_are_refused(source, target):
    source, target = source(), target()
    before = target.get_weights()
    with pytest.raises(
        ValueError, match=r"need names of their own.*Received: model="
    ):
        copy_weights(source, target)
    for ours, theirs in zip(before, target.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_have_same_weights():
    assert have_same_weights(chain(3, "x"), chain(3, "y"))
    assert not have_same_weights(chain(3, "x"), chain(2, "x"))
    assert not have_same_weights(chain(4, "x"), chain(4, "xy"))
    assert not have_same_weights(residual(), chain(3, "x"))


X = np.random.default_rng(0).normal(100, 30, (8, 4)).astype("float32")


def adapted():
    """A model whose first layer has seen data, and a residual addition."""
    normalization = keras.layers.Normalization()
    normalization.adapt(X)
    inputs = keras.Input((4,))
    x = normalization(inputs)
    return keras.Model(
        inputs, keras.layers.Add()([x, keras.layers.Dense(4)(x)])
    )


def averaged(model):
    teacher = kfl.models.EMATeacher()
    teacher.follow(model)
    return teacher.model


@pytest.mark.parametrize(
    "copy_of",
    [copy_model, averaged, kfl.models.add_stochastic_depth],
    ids=["copy_model", "EMATeacher", "add_stochastic_depth"],
)
def test_copies_normalize_as_the_original(copy_of):
    model = adapted()
    expected = model.predict(X, verbose=0)
    found = copy_of(model).predict(X, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_copies_share_nothing():
    source, target = adapted(), adapted()
    copy_weights(source, target)
    expected = source.predict(X, verbose=0)
    target.set_weights([0 * weight for weight in target.get_weights()])
    np.testing.assert_array_equal(source.predict(X, verbose=0), expected)
