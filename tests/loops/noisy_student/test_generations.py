import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.generations import Generations
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.run_progress import PlannedPhase
from keras_fewlabels.loops.noisy_student.score import score
from keras_fewlabels.loops.noisy_student.task import look_at
from keras_fewlabels.loops.recommend import recommended_for

IMAGES = np.random.default_rng(0).random((50, 2, 2, 1), "float32")
LABELS = np.arange(20) % 2


def build(width=3):
    return keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(width),
            keras.layers.Dense(2),
        ]
    )


def grows(generation):
    return build(3 + generation)


@dataclasses.dataclass
class Recorder:
    """A trainer that adds one to all weights, and writes down what it did."""

    recipe: object
    data: object
    prefix: str = ""
    calls: list = dataclasses.field(default_factory=list)

    def supervised(
        self,
        name,
        student,
        num_steps,
        patience=None,
        image_noise="strong",
        model_noise=True,
    ):
        noise = image_noise, model_noise
        return self._train(name, student, num_steps, patience, noise)

    def noisy_student(
        self, name, student, num_steps, teacher, noisy, first_epoch
    ):
        return self._train(
            name, student, num_steps, teacher, noisy, first_epoch
        )

    def high_resolution(self, name, student, num_steps, first_epoch):
        return self._train(name, student, num_steps, first_epoch)

    @property
    def settings(self):
        return self.recipe.settings

    def _train(self, name, student, *how):
        self.calls.append((self.prefix + name, student, *how))
        weights = student.get_weights()
        student.set_weights([part + 1 for part in weights])
        return {"epochs": 2, "steps": 10, "details": name}

    @property
    def names(self):
        return [name for name, *_ in self.calls]


def run(builder, num_generations, has_test=False, truth=None, **settings):
    keras.utils.set_random_seed(0)
    model = builder(0)
    task = look_at(model, (IMAGES[:20], LABELS), IMAGES[20:])
    test = (IMAGES[:20], task.labeled[1]) if has_test else None
    settings = {
        **recommended_for(task, model, True),
        "refit": False,
        **settings,
    }
    data = divide(task, None, test, 0.2, seed=5, truth=truth)
    trainer = Recorder(Recipe(task, settings, {}), data)
    fit = Generations(builder, trainer)
    assert fit.model is None and fit.phases == []
    fit.run(num_generations)
    return fit, trainer


def same(generation):
    return build()


def test_a_student_of_the_same_architecture_goes_on():
    fit, trainer = run(same, 2, supervised_steps=7, patience=4)
    assert trainer.names == ["supervised", "noisy student 1", "noisy student 2"]
    first, second, third = trainer.calls
    student = first[1]
    assert fit.model is second[1] is third[1] is student
    assert first[2:4] == (7, 4)
    steps = trainer.settings["student_steps"]
    # Without a teacher, with noise, and with epochs counted on.
    assert second[2:] == (steps, None, True, 2)
    assert third[2:] == (steps, None, True, 4)
    assert fit.num_steps == 30


@pytest.mark.parametrize(
    "builder, teacher",
    [(grows, "average"), (grows, "frozen"), (same, "frozen")],
)
def test_otherwise_a_new_student_learns_from_the_model_before(builder, teacher):
    fit, trainer = run(builder, 2, teacher=teacher)
    students = [call[1] for call in trainer.calls]
    assert len(set(map(id, students))) == 3
    teachers = [call[3] for call in trainer.calls[1:]]
    assert teachers[0] is students[0] and teachers[1] is students[1]
    assert fit.model is students[2]
    widths = [student.layers[-1].kernel.shape[0] for student in students]
    assert widths == ([3, 4, 5] if builder is grows else [3, 3, 3])


def test_students_that_do_not_fit_start_anew_once():
    # The second generation is as large as the first, the third larger.
    def builder(generation):
        return build(3 if generation < 2 else 4)

    _, trainer = run(builder, 3)
    first, second, third, fourth = (call[1] for call in trainer.calls)
    assert first is second and third is fourth and second is not third
    assert [call[3] for call in trainer.calls[1:]] == [None, second, None]


def test_a_student_starts_the_same_whatever_came_before():
    def weights(num_draws):
        def builder(generation):
            # Before the second, another number of random numbers is drawn.
            student = build(3 + generation)
            for _ in range(num_draws):
                build()
            return student

        fit, _ = run(builder, 1)
        return fit.model.get_weights()

    for ours, theirs in zip(weights(0), weights(3), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("teacher_noise", [True, False])
@pytest.mark.parametrize("student_noise", [True, False])
@pytest.mark.parametrize("view", ["strong", "weak"])
def test_noise(teacher_noise, student_noise, view):
    _, trainer = run(
        same,
        1,
        teacher_noise=teacher_noise,
        student_noise=student_noise,
        labeled_view=view,
    )
    supervised, student = trainer.calls
    assert supervised[4] == (view if teacher_noise else None, teacher_noise)
    assert student[4] is student_noise


@pytest.mark.parametrize("refit", [False, True])
def test_students_may_learn_the_validation_images(refit):
    fit, trainer = run(same, 1, has_test=True, refit=refit)
    first, second = fit.phases
    assert first["validation"]["num_images"] == 4
    assert second["test"]["num_images"] == 20
    assert (second["validation"] is None) is refit
    assert len(fit.trainer.data.labeled[0]) == (20 if refit else 16)
    assert len(trainer.data.labeled[0]) == 16


def of_any_size(generation):
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(2, 2, padding="same"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )


def test_high_resolution_comes_last_and_is_measured_so():
    fit, trainer = run(
        of_any_size, 1, low_resolution=0.5, high_resolution_steps=6
    )
    assert trainer.names == ["supervised", "noisy student 1", "high resolution"]
    assert trainer.calls[-1][1:] == (fit.model, 6, 4)
    *_, student, last = fit.phases
    assert (last["name"], last["generation"]) == ("high resolution", 1)
    data, recipe = trainer.data, trainer.recipe
    assert last["validation"] == score(fit.model, data.validation, True)
    # The weights are one higher since, but its images were small.
    fit.model.set_weights([part - 1 for part in fit.model.get_weights()])
    small = recipe.seen_small(fit.model)
    # One more and one less leaves the last bits of a weight changed.
    expected = score(small, data.validation, True)
    assert student["validation"] == pytest.approx(expected, rel=1e-4)
    other = score(fit.model, data.validation, True)
    assert student["validation"] != pytest.approx(other, rel=1e-4)
    # What is compared with the result sees images as they are.
    fit.baseline()
    assert trainer.calls[-1][0] == "supervised, same budget"
    assert fit.trainer.settings["low_resolution"] is None


def test_phases_of_the_report():
    truth = np.arange(30) % 2
    fit, trainer = run(same, 1, has_test=True, truth=truth, threshold=0.5)
    first, second = fit.phases
    assert (first["name"], first["generation"]) == ("supervised", 0)
    assert (second["name"], second["generation"]) == ("noisy student", 1)
    assert second["details"] == "noisy student 1"
    for part in ("validation", "test"):
        expected = score(fit.model, getattr(trainer.data, part), True)
        assert second[part] == expected
    facts = second["pseudo_labels"]
    guesses = fit.model.predict(IMAGES[20:], verbose=0).argmax(axis=1)
    assert facts["mask_ratio"] == 1
    assert facts["accuracy"] == pytest.approx(np.mean(guesses == truth))
    fit, _ = run(same, 0)
    assert fit.phases[0]["test"] is None
    assert fit.phases[0]["pseudo_labels"]["accuracy"] is None


def test_plan_has_the_phases_that_come():
    settings = {
        **{"batch_size": 10, "unlabeled_ratio": 2, "stochastic_depth": 0.25},
        **{"supervised_steps": 7, "student_steps": 5},
    }
    fit, trainer = run(same, 2, **settings)
    plan = fit.plan(2, baseline=True, waterfall=True)
    fit.baseline()
    fit.waterfall()
    assert list(plan) == trainer.names
    assert plan["supervised"] == PlannedPhase(7 * 30, may_end_early=True)
    assert plan["noisy student 2"] == PlannedPhase(5 * (30 + 80))
    assert plan["supervised, same budget"] == PlannedPhase(17 * 30)
    assert plan["without model noise, noisy student 1"].cost == 5 * 110
    assert list(fit.plan(0, False, False)) == ["supervised"]


def test_plan_of_a_last_phase_at_high_resolution():
    fit, trainer = run(of_any_size, 1, low_resolution=0.5)
    assert list(fit.plan(1, False, False)) == trainer.names


def test_baseline_is_trained_as_long_on_labels_alone():
    fit, trainer = run(same, 2)
    before = list(fit.phases)
    phase = fit.baseline()
    name, student, steps, patience, noise = trainer.calls[-1]
    assert (name, steps, patience) == ("supervised, same budget", 30, None)
    assert noise == ("strong", True)
    assert student is not fit.model and fit.phases == before
    assert phase["name"] == name and phase["validation"]["num_images"] == 4


def test_waterfall_adds_one_part_after_the_other():
    fit, trainer = run(same, 1, stochastic_depth=0.0)
    steps = fit.waterfall()
    assert [step["name"] for step in steps] == [
        "labels only",
        "+ augmentation",
        "+ pseudo-labels",
    ]
    assert all(set(step) == {"name", "validation", "test"} for step in steps)
    assert [call[2:] for call in trainer.calls[2:]] == [
        (20, None, (None, False)),
        (20, None, ("strong", False)),
    ]
    assert steps[-1]["validation"] == fit.phases[-1]["validation"]


def test_waterfall_has_another_step_where_branches_are_dropped():
    fit, trainer = run(grows, 2, stochastic_depth=0.25)
    steps = fit.waterfall()
    assert [step["name"] for step in steps] == [
        "labels only",
        "+ augmentation",
        "+ pseudo-labels",
        "+ model noise",
    ]
    assert trainer.names[3:] == [
        "labels only",
        "+ augmentation",
        "without model noise, supervised",
        "without model noise, noisy student 1",
        "without model noise, noisy student 2",
    ]
    assert steps[-1]["validation"] == fit.phases[-1]["validation"]
    assert trainer.settings["stochastic_depth"] == 0.25
