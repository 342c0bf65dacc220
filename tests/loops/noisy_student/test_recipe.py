import dataclasses
import types

import keras
import numpy as np
import pytest

from keras_fewlabels.foundation.keras_internals import (
    compiled_learning_rate,
    flatten_layers,
)
from keras_fewlabels.layers import RandAugment, StochasticDepth
from keras_fewlabels.loops.noisy_student.recipe import (
    Recipe,
    check_any_size,
    shrink_images,
    strong_augmentation,
)
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.recommend import recommended_for
from keras_fewlabels.policies import (
    DistributionAlignment,
    FixedThreshold,
    FreeMatchPolicy,
)

IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
LABELS = np.repeat([0, 1, 2], [12, 8, 4])
NO_LAYERS = {"policy": None, "noise": None, "weak_noise": None}


def residual(size=4):
    inputs = keras.Input((size, size, 1))
    branch = keras.layers.Conv2D(1, 3, padding="same")(inputs)
    x = keras.layers.Add()([inputs, branch])
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


def recipe_of(model, layers=(), **settings):
    task = inspect_task(model, (IMAGES[:24], LABELS), IMAGES[24:])
    settings = recommended_for(task, model, True).with_changes(settings)
    return Recipe(task, settings, {**NO_LAYERS, **dict(layers)})


def test_each_of_several_labels_is_as_frequent_as_among_the_labelled():
    labels = np.eye(3, dtype="int32")[LABELS]
    labels[:, 0] = 1
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, "sigmoid"),
        ]
    )
    task = inspect_task(model, (IMAGES[:24], labels), IMAGES[24:])
    settings = recommended_for(task, model, True)
    policy = Recipe(task, settings, NO_LAYERS).policy()
    assert isinstance(policy, DistributionAlignment)
    # Even a label that all images have is below 1.
    np.testing.assert_allclose(policy.prior, [0.98, 0.34, 0.18])


def drop_rates(model):
    return [
        layer.rate
        for layer in flatten_layers(model)
        if isinstance(layer, StochasticDepth)
    ]


def test_copies_predict_the_same_and_share_nothing():
    student = residual()
    recipe = recipe_of(student, stochastic_depth=0.25)
    for model_noise, rates in ((True, [0.25]), (False, [])):
        copy = recipe.copy_of(student, model_noise)
        assert drop_rates(copy) == rates
        assert not set(map(id, copy.weights)) & set(map(id, student.weights))
        np.testing.assert_allclose(
            copy.predict(IMAGES, verbose=0),
            student.predict(IMAGES, verbose=0),
            atol=1e-6,
        )


def test_low_resolution():
    student = residual(None)
    recipe = recipe_of(student, low_resolution=0.5, stochastic_depth=0.25)
    recipe.check(student)
    copy = recipe.copy_of(student, True)
    assert copy.layers[1].height == 2 and drop_rates(copy) == [0.25]
    full = recipe.at_full_resolution()
    assert full.at_training_resolution(student) is student
    assert full.settings.stochastic_depth == 0.25
    # Only the copy has changed.
    assert recipe.settings.low_resolution == 0.5


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"low_resolution": 0.5}, "a model for images of any size"),
        ({"ops": ["nonsense"]}, "nonsense"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    student = residual()
    recipe_of(student).check(student)
    with pytest.raises(ValueError, match=message):
        recipe_of(student, **settings).check(student)


def test_augmentations_are_those_of_the_settings_or_given():
    student, noise = residual(), keras.layers.GaussianNoise(0.5)
    recipe = recipe_of(student, {"weak_noise": noise}, num_ops=3)
    assert recipe.augmentation(None) is None
    assert recipe.augmentation("weak") is noise
    (rand_augment,) = (
        layer
        for layer in recipe.augmentation("strong").layers
        if isinstance(layer, RandAugment)
    )
    assert rand_augment.num_ops == 3


def test_the_policy_of_the_settings():
    policy = recipe_of(residual(), threshold=0.75, temperature=0.25).policy()
    assert isinstance(policy, DistributionAlignment)
    # The classes of all labels, validated or learned.
    np.testing.assert_allclose(policy.prior, [12 / 24, 8 / 24, 4 / 24])
    assert isinstance(policy.policy, FixedThreshold)
    assert policy.policy.threshold == 0.75
    assert policy.policy.temperature == 0.25 and policy.policy.soft


def test_a_policy_that_is_given_is_new_in_each_phase():
    policy = FreeMatchPolicy(momentum=0.5)
    policy.build((None, 3))
    recipe = recipe_of(residual(), {"policy": policy})
    first, second = recipe.policy(), recipe.policy()
    assert len({id(policy), id(first), id(second)}) == 3
    assert isinstance(first, FreeMatchPolicy) and first.momentum == 0.5


PHOTOS = np.random.default_rng(0).integers(0, 256, (6, 8, 12, 3), "uint8")


def of_any_size():
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_images_are_shrunk(dtype):
    model = of_any_size()
    small = shrink_images(model, 0.5, (8, 12, 3))
    assert small.input_shape == (None, 8, 12, 3)
    images = PHOTOS.astype(dtype)
    halves = keras.layers.Resizing(4, 6, antialias=True)(
        PHOTOS.astype("float32")
    )
    np.testing.assert_allclose(
        small.predict(images, verbose=0),
        model.predict(keras.ops.convert_to_numpy(halves), verbose=0),
        rtol=1e-4,
        atol=1e-4,
    )


def test_weights_are_shared():
    model = of_any_size()
    small = shrink_images(model, 0.01, (8, 12, 3))
    assert small.layers[1].height == small.layers[1].width == 1
    for weight, same in zip(small.weights, model.weights, strict=True):
        assert weight is same


def test_models_for_one_size_are_refused():
    check_any_size(of_any_size(), PHOTOS)
    model = keras.Sequential([keras.Input((8, 12, 3)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"Input\(\(None, None, 3\)\)"):
        check_any_size(model, PHOTOS)


def compiled(student=None, num_steps=100, **options):
    student = residual() if student is None else student
    recipe = recipe_of(
        residual(), learning_rate=0.5, weight_decay=0.25, label_smoothing=0.2
    )
    model = residual()
    recipe.compile(model, student, num_steps, **options)
    return model


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"]
)
def test_a_compiled_student_keeps_optimizer_and_loss(loss):
    student = residual()
    student.compile(keras.optimizers.SGD(0.125, momentum=0.25), loss)
    model = compiled(student)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.optimizer is not student.optimizer
    assert model.optimizer.momentum == 0.25
    assert float(model.optimizer.learning_rate) == 0.125
    assert model.loss == loss


def test_others_are_trained_by_smoothed_labels():
    model = compiled()
    assert model.loss.label_smoothing == 0.2
    assert model.loss.get_config()["from_logits"] is True
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert model.optimizer.weight_decay == 0.25


def test_a_decay_of_zero_is_none():
    recipe, model = recipe_of(residual(), weight_decay=0.0), residual()
    recipe.compile(model, residual(), 10)
    assert model.optimizer.weight_decay is None


@pytest.mark.parametrize("falls, end", [(True, 0.0), (False, 0.5)])
def test_the_rate_rises_and_then_falls_or_stays(falls, end):
    schedule = compiled_learning_rate(compiled(falls=falls).optimizer)
    assert float(schedule(0)) == pytest.approx(0.005)
    # A twentieth of the steps, then the cosine.
    assert float(schedule(5)) == pytest.approx(0.5)
    assert float(schedule(100)) == pytest.approx(end, abs=1e-6)
    half = 5 + 95 / 2
    assert float(schedule(half)) == pytest.approx((0.5 + end) / 2, rel=1e-3)


def test_one_step_is_enough():
    rate = float(compiled(num_steps=1).optimizer.learning_rate)
    assert 0 < rate <= 0.5


def test_the_rate_may_be_a_part_of_that_of_the_settings():
    schedule = compiled_learning_rate(compiled(rate_factor=0.1).optimizer)
    assert float(schedule(5)) == pytest.approx(0.05)


NOTHING = {
    "flip": False,
    "num_ops": 0,
    "ops": None,
    "magnitude": 10,
    "table": "randaugment",
    "fill_value": None,
    "cutout": False,
}
# Of whole levels, and without any mid grey.
LEVELS = np.random.default_rng(0).integers(0, 100, (60, 8, 8, 3))
SHADES = LEVELS.astype("float32") / 255


def strong_of(settings, value_range):
    return strong_augmentation(types.SimpleNamespace(**settings), value_range)


def weak_of(settings, value_range):
    recipe = recipe_of(residual(), **settings)
    task = dataclasses.replace(recipe.task, value_range=value_range)
    return dataclasses.replace(recipe, task=task).augmentation("weak")


def seen(layer, images=SHADES):
    return keras.ops.convert_to_numpy(layer(images, training=True))


def test_without_any_setting_images_stay_as_they_are():
    np.testing.assert_array_equal(seen(strong_of(NOTHING, (0, 1))), SHADES)


def test_flips_alone_turn_about_half_of_the_images():
    output = seen(strong_of({**NOTHING, "flip": True}, (0, 1)))
    turned = (output == SHADES[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (output == SHADES).all(axis=(1, 2, 3))
    assert (turned ^ same).all()
    assert 0.25 < turned.mean() < 0.75


def test_cutout_alone_covers_a_square_of_each_image():
    output = seen(strong_of({**NOTHING, "cutout": True}, (0, 1)))
    changed = (np.abs(output - SHADES) > 1e-3).any(axis=-1)
    assert changed.any(axis=(1, 2)).all()
    # Mid grey: level 128 of 255.
    np.testing.assert_allclose(output[changed], 128 / 255, rtol=1e-6)


def test_ops_of_the_settings_are_those_that_are_drawn():
    settings = {
        **NOTHING,
        "num_ops": 3,
        "ops": ["translate_x"],
        "magnitude": 4,
        "table": "fixmatch",
        "fill_value": 0.25,
    }
    (layer,) = strong_of(settings, (-1, 1)).layers
    assert isinstance(layer, RandAugment)
    assert (layer.num_ops, layer.magnitude) == (3, 4)
    assert layer.table == "fixmatch"
    assert (layer.ops, layer.fill_value) == (("translate_x",), 0.25)
    assert layer.value_range == (-1, 1)
    settings["ops"] = None
    (layer,) = strong_of(settings, (0, 255)).layers
    assert len(layer.ops) == 14


@pytest.mark.parametrize("flip", [True, False])
def test_what_the_teacher_sees_is_shifted_a_little(flip):
    settings = {**NOTHING, "flip": flip, "fill_value": 0.0}
    # A dot in a corner of the middle.
    images = np.zeros((400, 41, 41, 1), "float32")
    images[:, 20, 10] = 1
    output = seen(weak_of(settings, (0, 1)), images)
    rows, columns = (
        (output.sum(axis=axis)[..., 0] * np.arange(41)).sum(axis=-1)
        / output.sum(axis=(1, 2, 3))
        for axis in (2, 1)
    )
    turned = columns > 20
    assert turned.mean() == pytest.approx(0.5 if flip else 0, abs=0.1)
    shifts = rows - 20, np.where(turned, 40 - columns, columns) - 10
    for shift in shifts:
        # By 4.5 % of 41 pixels on average, two times out of two or none.
        assert 0.5 < shift.std() < 4
        assert abs(shift.mean()) < 0.5
        assert np.abs(shift).max() < 12


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_images_of_every_dtype_keep_their_values(dtype):
    images = LEVELS.astype(dtype)
    settings = {**NOTHING, "flip": True, "ops": ["identity"], "num_ops": 2}
    output = seen(strong_of(settings, (0, 255)), images)
    np.testing.assert_array_equal(
        np.sort(output, axis=2), np.sort(images, axis=2)
    )


@pytest.mark.parametrize("shape", [(8, 8, 4), (3, 8, 8), (8, 8, 2)])
def test_images_that_the_noise_cannot_augment_need_other_noise(shape):
    model = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    images = np.random.default_rng(0).random((24, *shape))
    labeled = images[:4], np.arange(4) % 2
    task = inspect_task(model, labeled, images[4:])
    settings = recommended_for(task, model, True)
    noise = keras.layers.GaussianNoise(0.1)
    for layers, missing in (
        (NO_LAYERS, "noise and weak_noise"),
        ({**NO_LAYERS, "noise": noise}, "weak_noise"),
        ({**NO_LAYERS, "weak_noise": noise}, "noise"),
    ):
        with pytest.raises(ValueError, match=rf"1 or 3 .*without {missing}$"):
            Recipe(task, settings, layers).check(model)
    layers = {**NO_LAYERS, "noise": noise, "weak_noise": noise}
    Recipe(task, settings, layers).check(model)


def test_weights_let_all_classes_count_alike(small_phases):
    model = small_phases.build()
    recipe = small_phases.recipe(model, balanced=True)
    labels = np.array([0, 0, 0, 2])
    weights = recipe.class_weights(labels)
    assert weights[labels].mean() == pytest.approx(1)
    assert 3 * weights[0] == pytest.approx(weights[2])
    recipe = small_phases.recipe(model, balanced=False)
    assert recipe.class_weights(labels) is None
