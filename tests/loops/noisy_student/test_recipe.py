import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment, StochasticDepth
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.task import look_at
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
    task = look_at(model, (IMAGES[:24], LABELS), IMAGES[24:])
    settings = {**recommended_for(task, model, True), **settings}
    return Recipe(task, settings, {**NO_LAYERS, **dict(layers)})


def drop_rates(model):
    return [
        layer.rate
        for layer in model._flatten_layers()
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
    assert full.seen_small(student) is student
    assert full.settings["stochastic_depth"] == 0.25
    # Only the copy has changed.
    assert recipe.settings["low_resolution"] == 0.5


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


def test_views_are_those_of_the_settings_or_given():
    student, noise = residual(), keras.layers.GaussianNoise(0.5)
    recipe = recipe_of(student, {"weak_noise": noise}, num_ops=3)
    assert recipe.view(None) is None
    assert recipe.view("weak") is noise
    (rand_augment,) = (
        layer
        for layer in recipe.view("strong").layers
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
