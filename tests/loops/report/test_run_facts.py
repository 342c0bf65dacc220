import json

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.run_identity import run_identity
from keras_fewlabels.loops.noisy_student.task import look_at
from keras_fewlabels.loops.report.run_facts import run_facts

IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
LABELS = np.repeat([0, 1, 2], [12, 8, 4])
SETTINGS = {"magnitude": 5, "why": {"magnitude": "few labels"}}


def classifier(width=3):
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(width),
            keras.layers.Dense(3),
        ]
    )


def parts(model, images=IMAGES, seed=0):
    task = look_at(model, (images[:24], LABELS), images[24:])
    return task, divide(task, None, None, 0.25, seed)


def test_facts_count_the_images_and_survive_json():
    facts = run_facts(*parts(classifier()), SETTINGS, ("a", "b", "c"))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["settings"] == {"magnitude": 5}
    assert facts["why"] == SETTINGS["why"]
    data = facts["data"]
    assert data["num_labeled"] + data["num_validation"] == 24
    assert sum(data["class_counts"]) == data["num_labeled"]
    assert (data["num_unlabeled"], data["num_test"]) == (36, None)
    assert data["class_names"] == ["a", "b", "c"]
    assert facts["versions"]["keras"] == keras.version()


def identity(model=None, settings=SETTINGS, noise=None, **changes):
    model = classifier() if model is None else model
    task, data = parts(model, **changes)
    found = run_identity(model, task, data, settings, {"noise": noise})
    return json.dumps(found, default=lambda array: array.tolist())


def test_another_process_has_the_same_identity():
    first, second = (identity(noise=RandAugment(2, 5)) for _ in range(2))
    assert first == second
    # Reasons are words, which another version may find others for.
    assert identity() == identity(settings={**SETTINGS, "why": {}})


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"settings": {**SETTINGS, "magnitude": 6}},
        {"noise": RandAugment(2, 5)},
        {"images": IMAGES[::-1]},
    ],
    ids=["seed", "settings", "noise", "images"],
)
def test_any_other_run_has_another(changes):
    assert identity(**changes) != identity()
    assert identity(classifier(4)) != identity()
