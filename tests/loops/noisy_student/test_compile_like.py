import types

import keras
import pytest

from keras_fewlabels.loops.noisy_student.compile_like import compile_like

TASK = types.SimpleNamespace(from_logits=True)
SETTINGS = {"learning_rate": 0.5, "weight_decay": 0.25, "label_smoothing": 0.2}


def build():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])


def compiled(student=None, num_steps=100, **options):
    model = build()
    student = build() if student is None else student
    compile_like(model, student, TASK, SETTINGS, num_steps, **options)
    return model


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"]
)
def test_a_compiled_student_keeps_optimizer_and_loss(loss):
    student = build()
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
    assert isinstance(model.optimizer, keras.optimizers.AdamW)
    assert model.optimizer.weight_decay == 0.25


@pytest.mark.parametrize("falls, end", [(True, 0.0), (False, 0.5)])
def test_the_rate_rises_and_then_falls_or_stays(falls, end):
    schedule = compiled(falls=falls).optimizer._learning_rate
    assert float(schedule(0)) == pytest.approx(0.005)
    # A twentieth of the steps, then the cosine.
    assert float(schedule(5)) == pytest.approx(0.5)
    assert float(schedule(100)) == pytest.approx(end, abs=1e-6)
    half = 5 + 95 / 2
    assert float(schedule(half)) == pytest.approx((0.5 + end) / 2, rel=1e-3)


def test_one_step_is_enough():
    rate = float(compiled(num_steps=1).optimizer.learning_rate)
    assert 0 < rate <= 0.5
