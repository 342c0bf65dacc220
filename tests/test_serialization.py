"""Every public class survives `get_config` and a `.keras` file."""

import inspect
import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_fewlabels as kfl

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), "uint8")


def classifier(*front):
    return keras.Sequential(
        [
            keras.Input((8, 8, 3), dtype="uint8"),
            *front,
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )


def residual():
    return keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 3, padding="same")]
    )


LAYERS = {
    "RandAugment": lambda: kfl.layers.RandAugment(
        3,
        7,
        (0, 256),
        ("rotate", "equalize"),
        "nearest",
        9,
        1,
        table="noisy_student",
        magnitude_std=0.5,
        apply_probability=0.7,
    ),
    "StochasticDepth": lambda: kfl.layers.StochasticDepth(
        0.3, per_sample=False, scale="inference", seed=1
    ),
    "StochasticResidual": lambda: kfl.layers.StochasticResidual(
        residual(), 0.3, seed=1, scale="inference"
    ),
    "FixedThreshold": lambda: kfl.policies.FixedThreshold(
        0.8, soft=True, temperature=0.4
    ),
    "DistributionAlignment": lambda: kfl.policies.DistributionAlignment(
        kfl.policies.FixedThreshold(0.8), [0.2, 0.3, 0.4, 0.1], 0.9
    ),
    "FlexMatchPolicy": lambda: kfl.policies.FlexMatchPolicy(
        0.8, warm_up=False, num_unlabeled=7, soft=True
    ),
    "FreeMatchPolicy": lambda: kfl.policies.FreeMatchPolicy(0.9, soft=True),
    "SoftMatchPolicy": lambda: kfl.policies.SoftMatchPolicy(
        3, 0.9, uniform_alignment=False, per_class=True, soft=True
    ),
    "AdaMatchPolicy": lambda: kfl.policies.AdaMatchPolicy(0.8, 0.9, soft=True),
    "DebiasedPolicy": lambda: kfl.policies.DebiasedPolicy(
        kfl.policies.FixedThreshold(0.8), 0.5, 0.9
    ),
    "TopPerClass": lambda: kfl.policies.TopPerClass(7),
    "EMATeacher": lambda: kfl.models.EMATeacher(decay=0.9),
}
MODELS = {
    "NoisyStudentModel": lambda: kfl.models.NoisyStudentModel(
        classifier(),
        kfl.models.EMATeacher(0.9),
        kfl.policies.FixedThreshold(0.8),
        noise=kfl.layers.RandAugment(1, 3),
        weak_noise=keras.layers.RandomFlip(),
        labeled_noise=keras.layers.Identity(),
        unlabeled_weight=0.7,
        separate_batch_norm=True,
        mixing=keras.layers.MixUp(0.3),
        num_views=2,
        blank_value=255,
    ),
    "NoisyStudent": lambda: kfl.models.NoisyStudent(classifier(), classifier()),
    "FixMatch": lambda: kfl.models.FixMatch(
        classifier(), unlabeled_weight=0.7, noise=kfl.layers.RandAugment(1, 3)
    ),
    "UDA": lambda: kfl.models.UDA(classifier(), balanced_head=True),
    "FlexMatch": lambda: kfl.models.FlexMatch(classifier()),
    "FreeMatch": lambda: kfl.models.FreeMatch(
        classifier(), fairness_weight=0.02
    ),
    "SoftMatch": lambda: kfl.models.SoftMatch(classifier()),
    "AdaMatch": lambda: kfl.models.AdaMatch(classifier()),
    "MixMatch": lambda: kfl.models.MixMatch(
        classifier(), num_views=3, mixing=keras.layers.CutMix()
    ),
    "ReMixMatch": lambda: kfl.models.ReMixMatch(
        classifier(), num_views=3, unmixed_weight=0.7
    ),
    "MeanTeacher": lambda: kfl.models.MeanTeacher(
        classifier(), teacher=kfl.models.EMATeacher(0.9), unlabeled_weight=7.0
    ),
}
# To inherit from; nothing of their own to save.
BASES = ["MultiWorkerModel", "Policy"]


def public_classes():
    for folder in (kfl.layers, kfl.models, kfl.policies):
        for name in folder.__all__:
            if inspect.isclass(getattr(folder, name)):
                yield name


def test_no_public_class_is_left_out():
    assert sorted(public_classes()) == sorted([*LAYERS, *MODELS, *BASES])


def set_arguments(instance):
    """The arguments of the constructor, as the instance remembers them."""
    signature = inspect.signature(type(instance).__init__)
    return {
        name: getattr(instance, name)
        for name, parameter in signature.parameters.items()
        if name != "self" and parameter.kind != parameter.VAR_KEYWORD
    }


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_config_round_trip(make):
    instance = make()
    config = instance.get_config()
    again = type(instance).from_config(config)
    assert again.get_config() == config
    for name, value in set_arguments(instance).items():
        if not isinstance(value, keras.layers.Layer):
            assert getattr(again, name) == value, name
            # Not the default: a forgotten argument would pass unseen.
            defaults = inspect.signature(type(instance).__init__).parameters
            assert value != defaults[name].default, name


@pytest.mark.parametrize(
    "name", ["RandAugment", "StochasticDepth", "StochasticResidual"]
)
def test_layers_in_a_saved_model(name, tmp_path):
    model = classifier(keras.layers.Rescaling(1.0), LAYERS[name]())
    check_round_trip(model, tmp_path)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_saved_models(make, tmp_path):
    model = make()
    config = model.get_config()
    assert type(model).from_config(config).get_config() == config
    loaded = check_round_trip(model, tmp_path)
    # A file turns tuples into lists.
    assert as_json(loaded.get_config()) == as_json(config)


def as_json(config):
    return json.dumps(config, sort_keys=True)


def check_round_trip(model, tmp_path):
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        ops.convert_to_numpy(loaded(IMAGES, training=False)),
        ops.convert_to_numpy(model(IMAGES, training=False)),
        atol=1e-6,
    )
    return loaded
