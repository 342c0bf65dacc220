"""A run: its phases, one after the other, and their results."""

import collections
import dataclasses

import keras

from keras_fewlabels.loops.noisy_student.phases import (
    PHASE_KINDS,
    STUDENT,
    PhaseContext,
)
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.loops.noisy_student.training.student_features import (
    StudentFeatures,
)
from keras_fewlabels.loops.noisy_student.training.student_head import (
    calibrate,
    calibrated,
)
from keras_fewlabels.loops.report.words.text import INTERRUPTED

# How much longer than planned a phase may take.
_SLACK = 1.2
# The part of the fewest steps by which each of several phases must be longer.
# What the first one takes too long would leave too few to the last, and the
# rest of the time would be lost.
_RESERVE = 0.3


class NoisyStudentRun:
    """Trains the models of all phases.

    A phase goes on from the model of the phase before in its branch. If the
    last one has found a temperature, the model is calibrated by it in the end.

    Args:
        build: Function of a generation that returns a new Keras model.
        recipe: `Recipe`.
        data: `PhaseData`.
        callbacks: Dict of the titles of phases to lists of Keras callbacks.
        finished: `FinishedPhases`.
        progress: `RunProgress`.
        clock: Optional `RunClock`. By default time does not matter.
        first: Optional Keras model to take in place of the first `build(0)`.

    Attributes:
        models: Dict of branches to the Keras model of the last phase.
        features: Dict of branches to `StudentFeatures`, made when asked for.
        results: Dict of branches to lists of dicts for JSON, what the report
            says of each phase.
        last_data: `PhaseData` of the last phase of the students.
        last_policy: Policy of the last phase of the students that had one, in
            its state after the training, or `None`.
        labels_alone: List of arrays, the weights of a new model after the
            phase that learns labels alone, or `None`.
        left_out: List of dicts of `name` and `why`, the images, phases and
            steps that there was no time for, or that were interrupted.
    """

    def __init__(
        self,
        build,
        recipe,
        data,
        callbacks,
        finished,
        progress,
        clock=None,
        first=None,
    ):
        self.build = build
        self.recipe = recipe
        self.data = self.last_data = data
        self.callbacks = callbacks
        self.finished = finished
        self.progress = progress
        self.clock = clock or RunClock()
        self._first = first
        self.left_out = []
        # The seconds of the phases so far, and when the last one ended.
        self._seconds, self._last_end = 0.0, 0.0
        self.features = collections.defaultdict(
            lambda: StudentFeatures(
                recipe.task, self.clock, progress, finished, self._leave_out
            )
        )
        self.models = {}
        self.results = {}
        self.last_policy = None
        self.labels_alone = None

    def run(self, phases, returns_early=False):
        """Trains and measures the models of a list of `Phase`, in order.

        Args:
            phases: List of `Phase`.
            returns_early: Boolean. If `True`, Ctrl-C ends the run with the
                model of the phase before, as soon as there is one.
        """
        for number, phase in enumerate(phases):
            model = self.models.get(phase.branch)
            before = model.get_weights() if returns_early and model else None
            try:
                self._run_phase(phase)
            except KeyboardInterrupt:
                if not returns_early or STUDENT not in self.models:
                    raise
                self._undo(phase.branch, before)
                for left in phases[number:]:
                    self._leave_out(left.title, INTERRUPTED)
                break
        for branch, model in self.models.items():
            calibrate(model, self.results[branch][-1].get("temperature"))

    def _undo(self, branch, weights):
        """Forgets a phase that was interrupted."""
        if branch != STUDENT:
            # Compared with half of a branch, any model looks good.
            self.models.pop(branch, None)
            self.results.pop(branch, None)
        elif branch in self.models:
            # The phase may have been changing it.
            self.models[branch].set_weights(weights)

    def _run_phase(self, phase):
        phase = self.progress.phases[phase.title]
        if phase.as_long_as is not None:
            steps = self.total("steps", phase.as_long_as)
            phase = dataclasses.replace(phase, steps=steps)
        context = self._context(self._cut(phase))
        trained = self._train(context)
        if "left_out" in trained:
            self._leave_out(phase.title, trained["left_out"])
            self.progress.finish(phase.title)
            return
        done = trained["steps"]
        had_to_end = trained.pop("out_of_time", False)
        if done < phase.steps and (had_to_end or done >= context.phase.steps):
            self._leave_out(
                f"{phase.steps - done:,} of {phase.steps:,} steps of "
                f"{phase.title}",
                "there was no time for them",
            )
        with calibrated(context.student, trained.get("temperature")):
            measured = PHASE_KINDS[phase.kind].measure(context)
        results = {
            "name": phase.name,
            "generation": phase.generation,
            **trained,
            **measured,
            "seconds_since_start": self._spend(trained["seconds"]),
        }
        self.progress.finish(phase.title, results)
        self.models[phase.branch] = context.student
        self.results.setdefault(phase.branch, []).append(results)
        if phase.branch == STUDENT:
            if phase.kind == "supervised" and not (
                self.recipe.settings.low_resolution
            ):
                self.labels_alone = context.student.get_weights()
            self.last_data = context.data
            self.last_policy = context.policy or self.last_policy

    def total(self, figure, branch):
        """Returns the sum of a figure over the phases of a branch so far."""
        return sum(phase[figure] for phase in self.results.get(branch, ()))

    @property
    def seconds(self):
        """Float, the seconds of the run, with those before it was killed."""
        return self._seconds + self.clock.seconds - self._last_end

    def _spend(self, seconds):
        """Returns the seconds of all phases so far, with one that has ended.

        Of a phase that was trained before this call went on from a backup,
        the clock has seen less than the seconds that it took.
        """
        now = self.clock.seconds
        self._seconds += max(seconds, now - self._last_end)
        self._last_end = now
        return self._seconds

    def _leave_out(self, name, why):
        self.left_out.append({"name": name, "why": why})

    def _cut(self, phase):
        """Returns a phase with the steps that there is time for."""
        if self.clock.limit is not None and phase.steps:
            steps = self.finished.remember(
                f"steps of {phase.title}",
                lambda: self._steps_in_time(phase),
            )
            phase = dataclasses.replace(phase, steps=steps)
        # The pace follows from the steps that are done.
        self.progress.costs[phase.title] = self.progress.cost(phase)
        return phase

    def _context(self, phase):
        kind, recipe, data = PHASE_KINDS[phase.kind], self.recipe, self.data
        student, teacher = kind.models(
            phase,
            self.models.get(phase.branch),
            self._new_student,
            recipe.settings,
        )
        policy = None
        if kind.has_policy:
            policy = recipe.policy()
            policy.build(recipe.task.shape_judged)
        return PhaseContext(
            phase=phase,
            recipe=recipe.at_full_resolution()
            if phase.full_resolution
            else recipe,
            data=data.with_validation_learned()
            if phase.with_validation
            else data,
            student=student,
            teacher=teacher,
            policy=policy,
            first_epoch=self.total("epochs", phase.branch),
            callbacks=self.callbacks[phase.title],
            progress=self.progress,
            clock=self.clock,
            features=self.features[phase.branch],
            **self._seconds_of(phase),
            results=tuple(self.results.get(phase.branch, ())),
        )

    def _seconds_of(self, phase):
        """Returns the seconds after which the training of a phase ends."""
        left, pace = self.clock.seconds_left, self.progress.pace
        share = left * self.progress.share(phase.title)
        end = self.clock.seconds + left
        if pace is None:
            return {"seconds": share, "end": end}
        planned = pace * (self.progress.cost(phase) - phase.num_predicted)
        afterwards = pace * self._num_afterwards(phase) + self.clock.tracing
        return {
            "seconds": max(share, _SLACK * planned),
            "end": end - afterwards,
        }

    def _num_afterwards(self, phase):
        """Returns how many images are predicted after a training."""
        num_measured = PHASE_KINDS[phase.kind].num_measured(self.data)
        return phase.num_predicted + num_measured

    def _steps_in_time(self, phase):
        """Returns the steps of a phase that its share of the time allows.

        If a rung and those of its kind to come would all be too short, there
        are fewer of them, which are longer, or none.
        """
        kind = PHASE_KINDS[phase.kind]
        pace = self.progress.pace
        if pace is None:
            return phase.steps
        cost = self.progress.costs[phase.title] - phase.num_predicted
        left = [
            other
            for other in self.progress.phases.values()
            if (other.branch, other.kind) == (phase.branch, phase.kind)
        ]
        share = sum(self.progress.share(other.title) for other in left)
        afterwards = self._num_afterwards(phase)
        for count in range(len(left), 0, -1):
            seconds = self.clock.seconds_left * share / count
            seconds -= self.clock.tracing_of_step
            steps = (seconds / pace - afterwards) * phase.steps / cost
            fewest = max(map(kind.fewest_steps, left[:count]))
            if count > 1 and fewest > 1:
                fewest *= 1 + _RESERVE
            if max(1, steps) >= min(fewest, phase.steps):
                return int(min(max(1, steps), phase.steps))
        return 0

    def _train(self, context):
        kind = PHASE_KINDS[context.phase.kind]
        if not kind.trains:
            return kind.train(context, None)
        layers = [context.student]
        if context.policy is not None:
            layers.append(context.policy)
        return self.finished.run(
            context.phase.title,
            layers,
            lambda backup: kind.train(context, backup),
        )

    def _new_student(self, generation):
        # The weights that a student starts from depend on nothing before it.
        keras.utils.set_random_seed(self.data.seed + generation)
        first, self._first = self._first, None
        if first is not None and generation == 0:
            return first
        return self.build(generation)
