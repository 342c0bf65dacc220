import keras
import numpy as np
import pytest

from keras_fewlabels.models.student.student_model import (
    StudentModel,
    create_variables,
    is_mixed,
    split_predictions,
)

IMAGES = np.random.default_rng(0).normal(size=(12, 5)).astype("float32")
LABELS = np.arange(12) % 3


class Plain(StudentModel):
    def call(self, inputs, training=None):
        return self.student(inputs, training=training)


def test_evaluates_as_the_student_does_and_logs_no_more():
    student = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(3, activation="softmax")]
    )
    model = Plain(student)
    logs = []
    for each in (model, student):
        each.compile(
            loss="sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        logs.append(each.evaluate(IMAGES, LABELS, return_dict=True, verbose=0))
    assert logs[0] == logs[1]
    assert not model.pseudo_label_metrics.paused


def test_shows_the_student(monkeypatch):
    student = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    calls = []
    for name in ("summary", "export"):
        monkeypatch.setattr(
            student, name, lambda *args, name=name: calls.append((name, *args))
        )
    model = Plain(student)
    model.summary(80)
    model.export("folder")
    assert calls == [("summary", 80), ("export", "folder")]


def test_predictions_are_divided_as_the_images_are():
    inputs = {"labeled": np.ones((2, 3)), "unlabeled": np.ones((5, 3))}
    assert is_mixed(inputs)
    labeled, unlabeled = split_predictions(inputs, np.arange(7))
    assert labeled.tolist() == [0, 1]
    assert unlabeled.tolist() == [2, 3, 4, 5, 6]


def test_everything_else_is_left_alone():
    for inputs in (np.ones((2, 3)), {"labeled": np.ones((2, 3))}, None):
        assert not is_mixed(inputs)
        assert split_predictions(inputs, "all") == ("all", None)


@pytest.mark.tensorflow
@pytest.mark.parametrize("is_created", [True, False])
def test_a_step_that_creates_no_variables_is_traced_once(is_created):
    traces = []

    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3, activation="softmax")
            self.dense.build((None, 2))
            self.built = True

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            traces.append(data)
            return super().train_step(data)

    model = Counting()
    model.compile(
        "adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"]
    )
    x, y = np.ones((4, 2), "float32"), np.array([0, 1, 2, 0])
    if is_created:
        create_variables(model, y, model(x))
    model.fit(x, y, verbose=0)
    assert len(traces) == (1 if is_created else 2)
