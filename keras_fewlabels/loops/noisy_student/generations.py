"""Which phases a fit loop has, in which order, and who teaches whom."""

import dataclasses

import keras

from keras_fewlabels.loops.noisy_student.is_pretrained import was_trained
from keras_fewlabels.loops.noisy_student.linear_probe import linear_probe
from keras_fewlabels.loops.noisy_student.run_progress import PlannedPhase
from keras_fewlabels.loops.noisy_student.score import pseudo_label_facts, score
from keras_fewlabels.models.copy_weights import have_same_weights

_HIGH_RESOLUTION = "high resolution"
_BASELINE = "supervised, same budget"
_PARTS = ("labels only", "+ augmentation")
_WITHOUT_MODEL_NOISE = "without model noise, "


class Generations:
    """A supervised model and generations of students taught by it.

    Args:
        build: Function of the generation that returns a new model.
        trainer: `Trainer`.

    Attributes:
        model: The model after the last phase, or `None`.
        baseline_model: The model trained on labels alone, or `None`.
        phases: List of dicts, what the report says of each phase.
    """

    def __init__(self, build, trainer):
        self.build = build
        self.trainer = self._first_trainer = trainer
        self.model = self.baseline_model = None
        self.phases = []

    @property
    def num_steps(self):
        """Int, the steps of all phases so far together."""
        return sum(phase["steps"] for phase in self.phases)

    @property
    def _num_epochs(self):
        return sum(phase["epochs"] for phase in self.phases)

    def run(self, num_generations):
        """Runs the supervised phase and that of each generation."""
        settings = self.trainer.settings
        noisy = settings["teacher_noise"]
        view = settings["labeled_view"] if noisy else None
        # Without validation images the phase is as long as it may be.
        has_validation = self.trainer.data.validation is not None
        patience = settings["patience"] if has_validation else None
        self.model = self._new_student(0)
        self._add(
            "supervised",
            0,
            self.model,
            self.trainer.supervised(
                "supervised",
                self.model,
                settings["supervised_steps"],
                patience,
                view,
                noisy,
            ),
        )
        if settings["refit"] and has_validation:
            self.trainer = dataclasses.replace(
                self.trainer, data=self.trainer.data.with_validation_learned()
            )
        for generation in range(1, num_generations + 1):
            self._next_generation(generation)
        if settings["low_resolution"]:
            self._high_resolution()

    def _next_generation(self, generation):
        settings = self.trainer.settings
        student, teacher = self._new_student(generation), self.model
        if settings["teacher"] == "average" and have_same_weights(
            student, teacher
        ):
            student, teacher = teacher, None
        details = self.trainer.noisy_student(
            _student(generation),
            student,
            settings["student_steps"],
            teacher,
            settings["student_noise"],
            first_epoch=self._num_epochs,
        )
        self.model = student
        self._add("noisy student", generation, student, details)

    def _high_resolution(self):
        details = self.trainer.high_resolution(
            _HIGH_RESOLUTION,
            self.model,
            self.trainer.settings["high_resolution_steps"],
            self._num_epochs,
        )
        self._at_full_resolution()
        generation = self.phases[-1]["generation"]
        self._add(_HIGH_RESOLUTION, generation, self.model, details)

    def _at_full_resolution(self):
        recipe = self.trainer.recipe.at_full_resolution()
        self.trainer = dataclasses.replace(self.trainer, recipe=recipe)

    def plan(self, num_generations, baseline, waterfall):
        """What is to be computed, as `RunProgress` wants to know it.

        Args:
            num_generations: Int.
            baseline: Boolean, whether there will be one.
            waterfall: Boolean, likewise.

        Returns:
            Dict of names of phases to `PlannedPhase`.
        """
        first = self._first_trainer
        settings = first.settings
        has_validation = first.data.validation is not None
        labeled = settings["batch_size"]
        unlabeled = labeled * settings["unlabeled_ratio"]
        steps = {"supervised": settings["supervised_steps"]}
        for generation in range(1, num_generations + 1):
            steps[_student(generation)] = settings["student_steps"]
        if settings["low_resolution"]:
            steps[_HIGH_RESOLUTION] = settings["high_resolution_steps"]
        # Backward costs twice as much as forward; teachers only go forward.
        costs = {
            name: count
            * (3 * labeled + (4 * unlabeled if "student" in name else 0))
            for name, count in steps.items()
        }
        plan = {
            name: PlannedPhase(cost, name == "supervised" and has_validation)
            for name, cost in costs.items()
        }
        alone = PlannedPhase(3 * labeled * sum(steps.values()))
        if baseline:
            plan[_BASELINE] = alone
        if waterfall:
            plan |= dict.fromkeys(_PARTS, alone)
            if settings["stochastic_depth"]:
                plan |= {
                    _WITHOUT_MODEL_NOISE + name: plan[name] for name in steps
                }
        return plan

    def baseline(self):
        """Labels alone, all the noise, as many steps; a phase of the report."""
        self.baseline_model, phase = self._alone(_BASELINE, "strong", True)
        return phase

    def linear_probe(self):
        """A linear classifier on features, if the model comes trained."""
        model = self._new_student(0)
        if not was_trained(model):
            return None
        first = self._first_trainer
        num_classes = first.recipe.task.num_classes
        return linear_probe(model, first.data, num_classes)

    def waterfall(self):
        """What each part brings: models with one part more than the last."""
        labels_only, augmentation = _PARTS
        steps = [
            self._alone(labels_only, None, False)[1],
            self._alone(augmentation, "strong", False)[1],
        ]
        last = self.phases[-1]
        if self.trainer.settings["stochastic_depth"]:
            first = self._first_trainer
            settings = {**first.settings, "stochastic_depth": 0.0}
            trainer = dataclasses.replace(
                first,
                recipe=dataclasses.replace(first.recipe, settings=settings),
                prefix=_WITHOUT_MODEL_NOISE,
            )
            without = Generations(self.build, trainer)
            without.run(last["generation"])
            steps.append({**without.phases[-1], "name": "+ pseudo-labels"})
            steps.append({**last, "name": "+ model noise"})
        else:
            steps.append({**last, "name": "+ pseudo-labels"})
        return [
            {key: step[key] for key in ("name", "validation", "test")}
            for step in steps
        ]

    def _alone(self, name, image_noise, model_noise):
        student = self._new_student(0)
        details = self.trainer.supervised(
            name,
            student,
            self.num_steps,
            image_noise=image_noise,
            model_noise=model_noise,
        )
        return student, self._measured(name, 0, student, details)

    def _new_student(self, generation):
        # What a student starts from depends on nothing before it.
        keras.utils.set_random_seed(self.trainer.data.seed + generation)
        return self.build(generation)

    def _add(self, name, generation, student, details):
        self.phases.append(self._measured(name, generation, student, details))

    def _measured(self, name, generation, student, details):
        data, recipe = self.trainer.data, self.trainer.recipe
        task, truth = recipe.task, data.truth
        student = recipe.seen_small(student)
        return {
            "name": name,
            "generation": generation,
            **details,
            "validation": score(student, data.validation, task.from_logits),
            "test": score(student, data.test, task.from_logits),
            "pseudo_labels": pseudo_label_facts(
                student,
                task.sample,
                task,
                recipe.settings["threshold"],
                None if truth is None else truth[: len(task.sample)],
            ),
        }


def _student(generation):
    return f"noisy student {generation}"
