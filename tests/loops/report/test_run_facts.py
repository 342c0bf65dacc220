import json

import keras
import numpy as np

from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.recommend import recommended_for
from keras_fewlabels.loops.report.run_facts import run_facts

IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
LABELS = np.repeat([0, 1, 2], [12, 8, 4])


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
    task = inspect_task(model, (images[:24], LABELS), images[24:])
    return task, divide(task, None, None, 0.25, seed)


def test_facts_count_the_images_and_survive_json():
    task, data = parts(classifier())
    settings = recommended_for(task, classifier(), True)
    settings = settings.with_changes({"magnitude": 5.5})
    facts = run_facts(task, data, settings, ("a", "b", "c"))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["settings"]["magnitude"] == 5.5
    assert facts["why"]["magnitude"] == "as given"
    assert facts["settings"].keys() == facts["why"].keys()
    data = facts["data"]
    assert data["num_labeled"] + data["num_validation"] == 24
    assert sum(data["class_counts"]) == data["num_labeled"]
    assert (data["num_unlabeled"], data["num_test"]) == (36, None)
    assert data["class_names"] == ["a", "b", "c"]
    assert facts["versions"]["keras"] == keras.version()


def test_learned_validation_images_count_as_labelled():
    task, data = parts(classifier())
    settings = recommended_for(task, classifier(), True)
    data = data.with_validation_learned()
    facts = run_facts(task, data, settings, None)["data"]
    assert (facts["num_labeled"], facts["num_validation"]) == (24, 0)
    assert facts["class_counts"] == [12, 8, 4]
