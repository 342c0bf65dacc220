import types

import keras
import numpy as np
import pytest

from keras_fewlabels.evaluation.frozen_features.linear_head import LinearHead
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.phases import (
    PHASE_KINDS,
    Noise,
    Phase,
    PhaseKind,
)
from keras_fewlabels.loops.noisy_student.run import NoisyStudentRun
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    FinishedPhases,
)
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)
from keras_fewlabels.loops.noisy_student.training.student_head import (
    head_of,
    set_head,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*is taking over")
NOISE = Noise(images="strong", labeled="strong")
PHASES = [
    Phase("supervised", "supervised", 6, noise=NOISE),
    Phase(
        "noisy student",
        "noisy student",
        3,
        teacher="average",
        noise=NOISE,
        generation=1,
        with_validation=True,
    ),
    Phase(
        "same budget",
        "supervised",
        0,
        branch="baseline",
        as_long_as="student",
    ),
]


@pytest.fixture(scope="module")
def run(small_phases):
    keras.utils.set_random_seed(0)
    recipe = small_phases.recipe(
        small_phases.build(), small_phases.quick_noise()
    )
    split = recipe.settings.validation_split
    data = divide(recipe.task, None, None, split, 0, None)
    epochs = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.append(epoch)
    )
    run = NoisyStudentRun(
        lambda generation: small_phases.build(),
        recipe,
        data,
        {phase.title: [callback] for phase in PHASES},
        FinishedPhases(None, lambda: ()),
        RunProgress(PHASES, recipe.settings, verbose=0),
    )
    run.run(PHASES)
    return run, epochs


def test_results_by_branch(run):
    run, _ = run
    names = {
        branch: [phase["name"] for phase in phases]
        for branch, phases in run.results.items()
    }
    assert names == {
        "student": ["supervised", "noisy student"],
        "baseline": ["same budget"],
    }
    # A phase of another branch is as long as the phases that it follows.
    assert run.total("steps", "student") == run.total("steps", "baseline") == 9


def test_epochs_are_counted_through_a_branch(run):
    assert run[1] == [0, 1, 2, 0, 1, 2]


def test_a_phase_goes_on_from_the_one_before(run):
    run, _ = run
    assert set(run.models) == {"student", "baseline"}
    assert run.models["student"] is not run.models["baseline"]


class Heads(PhaseKind):
    """A phase that sets a head, notes those it sees, and calibrates."""

    def __init__(self):
        self.seen = []

    def models(self, phase, model, build, settings):
        return model if model is not None else build(0), None

    def train(self, context, backup):
        self._note("trained", context)
        if context.phase.name == "left out":
            return {"left_out": "no time"}
        ones = LinearHead(np.ones((16, 3)), np.ones(3))
        set_head(context.student, ones)
        temperature = {"cold": 0.5, "hot": 4.0}.get(context.phase.name)
        return {**super().train(context, backup), "temperature": temperature}

    def measure(self, context):
        self._note("measured", context)
        return {}

    def _note(self, what, context):
        kernel = head_of(context.student).kernel
        self.seen.append((context.phase.name, what, float(kernel[0, 0])))


class Interrupted(Heads):
    """A phase that is interrupted after it has changed the model."""

    def measure(self, context):
        if context.phase.name == "interrupted":
            set_head(
                context.student, LinearHead(np.zeros((16, 3)), np.zeros(3))
            )
            raise KeyboardInterrupt
        return super().measure(context)


@pytest.mark.parametrize("branch", ["student", "baseline"])
def test_ctrl_c_leaves_the_model_of_the_phase_before(
    small_phases, monkeypatch, branch
):
    monkeypatch.setitem(PHASE_KINDS, "heads", Interrupted())

    def phase(name, branch="student"):
        return Phase(name, "heads", 0, branch=branch)

    def run(returns_early, *phases):
        recipe = small_phases.recipe(small_phases.build())
        run = NoisyStudentRun(
            lambda generation: small_phases.build(),
            recipe,
            divide(recipe.task, None, None, 0.0, 0, None),
            {phase.title: [] for phase in phases},
            FinishedPhases(None, lambda: ()),
            RunProgress(phases, recipe.settings, verbose=0),
        )
        run.run(phases, returns_early)
        return run

    phases = [
        phase("first"),
        phase("half of the baseline", "baseline"),
        phase("interrupted", branch),
        phase("last", branch),
    ]
    found = run(True, *phases)
    assert [each["name"] for each in found.results["student"]] == ["first"]
    assert np.all(head_of(found.models["student"]).kernel == 1)
    assert ("baseline" in found.models) == (branch == "student")
    assert found.left_out == [
        {"name": name, "why": "the run was interrupted"}
        for name in (phases[2].title, phases[3].title)
    ]
    for early, these in ((False, phases), (True, phases[2:])):
        with pytest.raises(KeyboardInterrupt):
            run(early, *these)


@pytest.mark.parametrize("last, expected", [("hot", 0.25), ("none", 1.0)])
def test_a_temperature_is_that_of_the_model_that_is_returned(
    small_phases, monkeypatch, last, expected
):
    kind = Heads()
    monkeypatch.setitem(PHASE_KINDS, "heads", kind)
    names = ["cold", last, "left out"]
    phases = [Phase(name, "heads", 0) for name in names]
    student = small_phases.build()
    recipe = small_phases.recipe(student)
    run = NoisyStudentRun(
        lambda generation: student,
        recipe,
        divide(recipe.task, None, None, 0.5, seed=0),
        {name: [] for name in names},
        FinishedPhases(None, lambda: ()),
        RunProgress(phases, recipe.settings, verbose=0),
    )
    run.run(phases)
    # What is measured is calibrated, and phases go on from what they learned.
    assert kind.seen[1:] == [
        ("cold", "measured", 2.0),
        (last, "trained", 1.0),
        (last, "measured", expected),
        ("left out", "trained", 1.0),
    ]
    assert head_of(run.models["student"]).kernel[0, 0] == expected


def test_seconds_since_the_start_are_summed_over_what_was_resumed(
    small_phases,
):
    recipe = small_phases.recipe(small_phases.build())
    clock = types.SimpleNamespace(seconds=2.0)
    run = NoisyStudentRun(
        *(None, recipe, None, {}, None),
        RunProgress([], recipe.settings, verbose=0),
        clock,
    )
    # Two seconds of preparation, then eight out of a backup.
    assert run._spend(8.0) == 8
    clock.seconds = 2.5
    # Half a second to read what took four.
    assert run._spend(4.0) == 12
    clock.seconds = 12.5
    # Three of the ten seconds were not spent on training.
    assert run._spend(7.0) == 22


def test_last_data_and_policy_are_those_of_the_students(run):
    run, _ = run
    # The validation images were trained on, too.
    assert run.last_data.validation is None
    assert len(run.last_data.labeled[0]) == 24
    assert run.last_policy is not None


def test_a_phase_that_is_cut_costs_less(small_phases):
    keras.utils.set_random_seed(0)
    recipe = small_phases.recipe(small_phases.build())
    progress = RunProgress(PHASES, recipe.settings, verbose=0)
    before = dict(progress.costs)
    run = NoisyStudentRun(
        None,
        recipe,
        divide(recipe.task, None, None, 0.5, seed=0),
        {},
        FinishedPhases(None, lambda: ()),
        progress,
        RunClock(1e-9),
    )
    # Without a pace there is no reason for fewer steps.
    assert run._cut(PHASES[0]) == PHASES[0] and progress.costs == before
    progress.pace = 1.0
    assert run._cut(PHASES[0]).steps == 1
    # The pace of the phases to come follows from the steps that are done.
    cost = before["supervised"] / PHASES[0].steps
    assert progress.costs == {**before, "supervised": cost}


def test_a_new_student_depends_on_its_generation_alone(run):
    run, _ = run
    first = run._new_student(0).get_weights()
    keras.random.uniform((3,))
    for ours, theirs in zip(
        first, run._new_student(0).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    other = run._new_student(1).get_weights()
    assert not np.array_equal(first[0], other[0])


def test_the_first_student_may_be_there_already(small_phases):
    first = small_phases.build()
    data = types.SimpleNamespace(seed=0)
    run = NoisyStudentRun(
        lambda generation: small_phases.build(),
        *(None, data, {}, None, None),
        first=first,
    )
    assert run._new_student(0) is first
    assert run._new_student(0) is not first


@pytest.mark.parametrize(
    ("seconds", "tracing", "steps"),
    [
        # Ten of the seconds of a rung are for features.
        (450, 0, [140, 140, 140]),
        # A third of the time is too short, so that there are two rungs.
        (280, 0, [130, 130, 0]),
        # Were the first to take longer than planned, none would follow.
        (390, 0, [185, 185, 0]),
        (270, 0, [260, 0, 0]),
        # The first step of each rung is traced, too.
        (480, 10, [140, 140, 140]),
        (90, 10, [70, 0, 0]),
        (50, 10, [0, 0, 0]),
        # Labels alone need fewer steps.
        (150, 0, [140, 0, 0]),
        (80, 0, [70, 0, 0]),
        (40, 0, [0, 0, 0]),
    ],
)
def test_rungs_that_would_be_too_short_are_left_out(
    small_phases, seconds, tracing, steps
):
    recipe = small_phases.recipe(small_phases.build())
    phases = [
        Phase(
            "fine-tuning",
            "fine-tuning",
            400,
            generation=number,
            with_unlabeled=True,
            with_pseudo_labels=number > 0,
            num_predicted=160,
        )
        for number in range(3)
    ]
    clock = types.SimpleNamespace(
        limit=seconds, seconds_left=seconds, tracing_of_step=tracing
    )
    progress = RunProgress(phases, recipe.settings, verbose=0)
    # A step of four images takes as long as 16 predictions: a second.
    progress.pace = 1 / 16
    run = NoisyStudentRun(
        None,
        recipe,
        divide(recipe.task, None, None, 0, 0, None),
        {},
        FinishedPhases(None, lambda: ()),
        progress,
        clock,
    )
    found = []
    for phase in phases:
        found.append(run._steps_in_time(phase))
        clock.seconds_left -= found[-1] + (10 + tracing) * (found[-1] > 0)
        progress.finish(phase.title)
    assert found == steps
