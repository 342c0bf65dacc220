import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.loops import recommend
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.phases import Phase, PhaseContext
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)

IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
LABELS = np.repeat([0, 1, 2], [12, 8, 4])
NO_LAYERS = {"policy": None, "noise": None, "weak_noise": None}


class SmallPhases:
    """Students, and all that a phase of them is trained with."""

    def build(self, loss=None):
        inputs = keras.Input((4, 4, 1))
        branch = keras.layers.Conv2D(1, 3, padding="same")(inputs)
        x = keras.layers.Flatten()(keras.layers.Add()([inputs, branch]))
        activation = None if loss is None else "softmax"
        outputs = keras.layers.Dense(3, activation=activation)(x)
        model = keras.Model(inputs, outputs)
        if loss is not None:
            model.compile(keras.optimizers.SGD(0.5, momentum=0.25), loss)
        return model

    def build_of_any_size(self):
        return keras.Sequential(
            [
                keras.Input((None, None, 1)),
                keras.layers.Conv2D(2, 3, padding="same"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(3),
            ]
        )

    def recipe(self, model, layers=(), **settings):
        labeled, unlabeled = (IMAGES[:24], LABELS), IMAGES[24:]
        settings = {
            "batch_size": 4,
            "unlabeled_ratio": 2,
            "steps_per_epoch": 3,
            "ops": ("translate_x",),
            "cutout": False,
            **settings,
        }
        settings = dataclasses.replace(
            recommend(model, labeled, unlabeled), **settings
        )
        task = inspect_task(model, labeled, unlabeled)
        return Recipe(task, settings, {**NO_LAYERS, **dict(layers)})

    def quick_noise(self):
        """Layers of a recipe that are traced quickly."""
        return {
            "noise": keras.layers.GaussianNoise(0.5),
            "weak_noise": keras.layers.GaussianNoise(0.25),
        }

    def context(
        self,
        phase,
        student,
        teacher=None,
        first_epoch=0,
        callbacks=(),
        layers=(),
        **settings,
    ):
        recipe = self.recipe(student, layers, **settings)
        if phase.full_resolution:
            recipe = recipe.at_full_resolution()
        data = divide(
            recipe.task, None, None, recipe.settings.validation_split, 0, None
        )
        policy = None
        if phase.kind == "noisy student":
            policy = recipe.policy()
            policy.build((None, 3))
        progress = RunProgress([phase], recipe.settings, verbose=0)
        return PhaseContext(
            phase,
            recipe,
            data,
            student,
            teacher,
            policy,
            first_epoch,
            callbacks,
            progress,
        )

    def phase(self, kind, steps, **arguments):
        return Phase("first", kind, steps, **arguments)

    def drop_rates(self, model):
        return [
            layer.rate
            for layer in model.layers
            if isinstance(layer, StochasticDepth)
        ]


@pytest.fixture(scope="session")
def small_phases():
    return SmallPhases()


@pytest.fixture
def rates():
    """A function of an optimizer and steps: the learning rates there."""

    def rates(optimizer, steps):
        found = []
        for step in steps:
            optimizer.iterations.assign(step)
            rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
            found.append(float(rate))
        return found

    return rates
