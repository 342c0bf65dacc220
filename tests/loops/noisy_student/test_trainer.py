import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.loops.noisy_student.averaged_student import (
    AveragedStudent,
    SupervisedStudent,
)
from keras_fewlabels.loops.noisy_student.finished_phases import FinishedPhases
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.run_progress import (
    PlannedPhase,
    RunProgress,
)
from keras_fewlabels.loops.noisy_student.task import look_at
from keras_fewlabels.loops.noisy_student.trainer import Trainer
from keras_fewlabels.loops.recommend import recommended_for
from keras_fewlabels.policies import FreeMatchPolicy

# Models that have hardly begun favour one class or another.
pytestmark = pytest.mark.filterwarnings("ignore:.*is taking over")

IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")
LABELS = np.repeat([0, 1, 2], [12, 8, 4])
PROGRESS = RunProgress({}, verbose=0)
NO_LAYERS = {"policy": None, "noise": None, "weak_noise": None}


def build(loss=None, rate=0.5):
    inputs = keras.Input((4, 4, 1))
    branch = keras.layers.Conv2D(1, 3, padding="same", name="conv")(inputs)
    x = keras.layers.Flatten()(keras.layers.Add()([inputs, branch]))
    activation = None if loss is None else "softmax"
    outputs = keras.layers.Dense(3, activation=activation, name="head")(x)
    model = keras.Model(inputs, outputs)
    if loss is not None:
        model.compile(keras.optimizers.SGD(rate, momentum=0.25), loss)
    return model


def trainer_of(model, callbacks=None, layers=(), **settings):
    task = look_at(model, (IMAGES[:24], LABELS), IMAGES[24:])
    settings = {
        **recommended_for(task, model, True),
        "batch_size": 4,
        "unlabeled_ratio": 2,
        "steps_per_epoch": 3,
        "ops": ["translate_x"],
        "cutout": False,
        **settings,
    }
    data = divide(task, None, None, settings["validation_share"], seed=0)
    phases = FinishedPhases(None, ())
    layers = {**NO_LAYERS, **dict(layers)}
    return Trainer(
        Recipe(task, settings, layers), data, phases, callbacks, PROGRESS
    )


@pytest.fixture
def phase(monkeypatch):
    """What would be trained, and how, instead of training it."""

    @dataclasses.dataclass
    class Phase:
        def run(self, model, feed, epochs, data, backup, patience, callbacks):
            self.model, self.feed, self.epochs = model, feed, epochs
            self.data, self.patience = data, patience
            # The first tells the progress.
            self.progress, *self.callbacks = callbacks
            average = model.average.model
            average.set_weights([np.ones(w.shape) for w in average.weights])
            return {"epochs": epochs[1] - epochs[0]}

    phase = Phase()
    monkeypatch.setattr(
        "keras_fewlabels.loops.noisy_student.trainer.run_phase", phase.run
    )
    return phase


def drop_rates(model):
    return [
        layer.rate
        for layer in model._flatten_layers()
        if isinstance(layer, StochasticDepth)
    ]


def values(model):
    return {float(value) for part in model.get_weights() for value in part.flat}


def rates(optimizer, steps):
    return [float(optimizer._learning_rate(step)) for step in steps]


def test_supervised(phase):
    student = build()
    before = [np.array(part) for part in student.get_weights()]
    trainer = trainer_of(student, stochastic_depth=0.25, learning_rate=0.5)
    details = trainer.supervised("first", student, 100, 7)
    assert details == {"epochs": 34}
    assert isinstance(phase.model, SupervisedStudent)
    assert phase.feed.num_steps == 3 and phase.epochs == (0, 34)
    assert phase.patience == 7 and phase.data is trainer.data
    assert phase.callbacks == []
    # It began with the weights of the student, who has those of the average.
    for ours, theirs in zip(
        phase.model.student.get_weights(), before, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert values(student) == {1.0}
    assert drop_rates(phase.model.student) == [0.25]
    assert drop_rates(student) == []
    assert phase.model.noise is not None
    # A constant rate after a warm-up over five of 102 steps.
    found = rates(phase.model.optimizer, [0, 5, 50, 102])
    assert found == pytest.approx([0.005, 0.5, 0.5, 0.5])


def test_supervised_without_noise_and_patience(phase):
    student = build()
    trainer = trainer_of(student, stochastic_depth=0.25, learning_rate=0.5)
    trainer.supervised("first", student, 2, None, None, False, first_epoch=4)
    assert drop_rates(phase.model.student) == []
    assert phase.model.noise is None
    # A phase of fewer steps than an epoch has one of so many.
    assert phase.epochs == (4, 5) and phase.feed.num_steps == 2
    trainer.supervised("first", student, 102, None)
    found = rates(phase.model.optimizer, [0, 5, 102])
    assert found == pytest.approx([0.005, 0.5, 0.0], abs=1e-6)


@pytest.mark.parametrize("method", ["supervised", "noisy_student"])
def test_epochs_are_as_long_as_the_steps_come_out(phase, method):
    # Epochs of 5 steps would make 15 of 11, and another budget.
    trainer = trainer_of(build(), steps_per_epoch=5)
    getattr(trainer, method)("first", build(), 11)
    assert phase.epochs == (0, 3) and phase.feed.num_steps == 4


@pytest.mark.parametrize("has_teacher", [False, True])
def test_noisy_student(phase, has_teacher):
    student, teacher = build(), build() if has_teacher else None
    trainer = trainer_of(
        student, stochastic_depth=0.25, ema_decay=0.75, unlabeled_weight=0.5
    )
    trainer.noisy_student("second", student, 10, teacher, first_epoch=5)
    model = phase.model
    assert isinstance(model, AveragedStudent)
    assert model.teacher is (teacher if has_teacher else model.average)
    assert model.average.decay == 0.75 and model.unlabeled_weight == 0.5
    assert phase.epochs == (5, 9) and phase.patience is None
    assert drop_rates(model.student) == [0.25]
    images, labels = phase.feed.order[0]
    assert len(images["labeled"]) == len(labels) == 4
    assert len(images["unlabeled"]) == 8
    assert values(student) == {1.0}
    found = rates(model.optimizer, [12])
    assert found == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize(
    "student_steps, decay", [(100, 0.9), (1000, 0.98), (100_000, 0.9995)]
)
def test_averages_look_back_over_a_part_of_the_steps(
    phase, student_steps, decay
):
    trainer = trainer_of(build(), student_steps=student_steps)
    trainer.supervised("first", build(), 2)
    assert phase.model.average.decay == pytest.approx(decay)
    trainer.noisy_student("second", build(), 2)
    assert phase.model.average.decay == pytest.approx(decay)


def test_noisy_student_without_noise(phase):
    student = build()
    trainer = trainer_of(student, stochastic_depth=0.25)
    trainer.noisy_student("second", student, 10, noisy=False)
    assert drop_rates(phase.model.student) == []
    assert phase.model.noise is None
    # What the teacher sees is no noise of the student.
    assert phase.model.weak_noise is not None


def test_a_teacher_that_stays_as_it_is_labels_clean_images(phase):
    student, teacher = build(), build()
    trainer_of(student).noisy_student("second", student, 10, teacher)
    assert phase.model.weak_noise is None
    layers = {"weak_noise": keras.layers.GaussianNoise(0.25)}
    trainer = trainer_of(student, layers=layers)
    trainer.noisy_student("second", student, 10, teacher)
    assert phase.model.weak_noise is layers["weak_noise"]


def test_there_is_an_unlabelled_image_in_each_batch(phase):
    student = build()
    trainer = trainer_of(student, unlabeled_ratio=0.01)
    trainer.noisy_student("second", student, 10)
    assert len(phase.feed.order[0][0]["unlabeled"]) == 1


def test_layers_take_the_place_of_those_of_the_settings(phase):
    student = build()
    policy = FreeMatchPolicy(momentum=0.5)
    policy.build((None, 3))
    layers = {
        "policy": policy,
        "noise": keras.layers.GaussianNoise(0.5),
        "weak_noise": keras.layers.GaussianNoise(0.25),
    }
    trainer = trainer_of(student, layers=layers)
    trainer.noisy_student("second", student, 3)
    assert phase.model.noise is layers["noise"]
    assert phase.model.weak_noise is layers["weak_noise"]
    # One that has seen nothing.
    assert isinstance(phase.model.policy, FreeMatchPolicy)
    assert phase.model.policy is not policy
    assert phase.model.policy.momentum == 0.5
    trainer.supervised("first", student, 3)
    assert phase.model.noise is layers["noise"]


@pytest.mark.parametrize("view", ["strong", "weak"])
def test_labelled_images_are_seen_as_the_setting_says(phase, view):
    student = build()
    layers = {
        "noise": keras.layers.GaussianNoise(0.5),
        "weak_noise": keras.layers.GaussianNoise(0.25),
    }
    trainer = trainer_of(student, layers=layers, labeled_view=view)
    trainer.noisy_student("second", student, 3)
    model = phase.model
    expected = layers["weak_noise" if view == "weak" else "noise"]
    assert (model.labeled_noise or model.noise) is expected
    assert model.noise is layers["noise"]


def build_of_any_size():
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(2, 3, padding="same"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )


def test_students_and_teachers_see_small_images(phase):
    student, teacher = build_of_any_size(), build_of_any_size()
    trainer = trainer_of(student, low_resolution=0.5)
    trainer.supervised("first", student, 3)
    sizes = [phase.model.student.layers[1].height]
    trainer.noisy_student("second", student, 3, teacher)
    sizes += [phase.model.student.layers[1].height]
    sizes += [phase.model.teacher.layers[1].height]
    assert sizes == [2, 2, 2]
    assert values(student) == {1.0}


def test_high_resolution_trains_the_upper_layers_on_images_as_they_are(phase):
    student = build_of_any_size()
    trainer = trainer_of(student, low_resolution=0.5, learning_rate=0.5)
    trainer.high_resolution("last", student, 40, 7)
    model = phase.model
    assert isinstance(model, SupervisedStudent)
    assert len(model.student.layers) == len(student.layers)
    assert phase.epochs == (7, 21) and phase.patience is None
    assert rates(model.optimizer, [2]) == pytest.approx([0.05])
    assert model.average.decay == pytest.approx(1 - 20 / 42)
    fine_tune = phase.callbacks[-1]
    assert isinstance(fine_tune, FineTune)
    assert fine_tune.backbone is model.student
    assert fine_tune.schedule == {0: 2}
    assert values(student) == {1.0}


def test_high_resolution_in_earnest():
    student = build_of_any_size()
    trainer = trainer_of(student, low_resolution=0.5)
    convolution, _, head = student.layers
    start = [np.array(layer.get_weights()[0]) for layer in (convolution, head)]
    details = trainer.high_resolution("last", student, 6, 3)
    assert (details["epochs"], details["steps"]) == (2, 6)
    np.testing.assert_array_equal(convolution.get_weights()[0], start[0])
    assert not np.array_equal(head.get_weights()[0], start[1])


def test_callbacks_are_a_list_or_made_for_each_phase(phase):
    student = build()
    callback = keras.callbacks.TerminateOnNaN()
    trainer = trainer_of(student, callbacks=[callback])
    trainer.supervised("first", student, 3)
    assert phase.callbacks == [callback]
    names = []

    def callbacks(name):
        names.append(name)
        return (callback,)

    trainer = dataclasses.replace(trainer, callbacks=callbacks, prefix="no, ")
    trainer.supervised("first", student, 3)
    trainer.noisy_student("second", student, 3)
    assert phase.callbacks == [callback]
    assert names == ["no, first", "no, second"]


def test_progress_of_a_phase_that_then_is_over(phase, capsys):
    student = build()
    plan = {"no, first": PlannedPhase(1.0), "no, second": PlannedPhase(1.0)}
    trainer = dataclasses.replace(
        trainer_of(student), progress=RunProgress(plan, 2), prefix="no, "
    )
    trainer.supervised("first", student, 10, first_epoch=3)
    assert list(trainer.progress.plan) == ["no, second"]
    phase.progress.on_epoch_begin(4)
    phase.progress.on_epoch_end(4, {"loss": 0.5})
    line = "no, first, epoch 2 of 4: loss 0.5000\n"
    assert capsys.readouterr().out == line


@pytest.mark.parametrize("loss", [None, "sparse_categorical_crossentropy"])
def test_trained_in_earnest(loss):
    student = build(loss)
    layers = {
        "noise": keras.layers.GaussianNoise(0.5),
        "weak_noise": keras.layers.GaussianNoise(0.25),
    }
    trainer = trainer_of(student, [keras.callbacks.History()], layers)
    start = [np.array(part) for part in student.get_weights()]
    details = trainer.supervised("first", student, 6)
    assert (details["epochs"], details["steps"]) == (2, 6)
    middle = [np.array(part) for part in student.get_weights()]
    details = trainer.noisy_student("second", student, 6)
    assert (details["epochs"], details["steps"]) == (2, 6)
    end = student.get_weights()
    for before, after in ((start, middle), (middle, end)):
        assert not any(map(np.array_equal, before, after))
