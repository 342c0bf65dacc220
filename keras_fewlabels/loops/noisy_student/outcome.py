"""The outcome of a run: the model to keep, and its mistakes."""

import collections
import dataclasses
import itertools

from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.verdicts import (
    compare_precisions,
    compare_predictions,
    compare_recalls,
)
from keras_fewlabels.loops.noisy_student.build_student import (
    mark_layers_trained,
    optimizer_of_loop,
)
from keras_fewlabels.loops.noisy_student.measure import (
    Labeler,
    PseudoLabels,
    examine_predictions,
    predict,
)
from keras_fewlabels.loops.noisy_student.phases import (
    BASELINE,
    LINEAR_PROBE,
    STUDENT,
    waterfall_steps,
)
from keras_fewlabels.loops.report.run_files import RunFiles


class Outcome:
    """Compares the models of a run, and keeps the better one.

    The last student is compared with the baseline, if there is one, on images
    that neither was trained on. The baseline is kept if it is better on the
    validation images beyond chance. Test images choose nothing. Without a
    baseline, the model after the supervised phase stands in for it, if there
    are validation images. Where students have learned these, they can only
    tell that a student is worse: of images that it has not learned, it knows
    less still. Where all classes count alike, the balanced accuracy is
    compared.

    Args:
        run: `NoisyStudentRun` whose phases have ended.

    Attributes:
        model: The Keras model that is kept.
        verdict: Dict of a `Verdict`, with `figure`, `split`,
            `reference`, `kept` and `linear_probe`, as `FitReport` has it, or
            `None`.
        examined: Dict of `split` and the results of `examine_predictions`.
            Without validation and test images they are those of the
            cross-validation of the last head on frozen features, with its
            `name`. `None` if there is none either.
    """

    def __init__(self, run):
        self._run = run
        self._task, self._data = run.recipe.task, run.last_data
        self.model = run.models[STUDENT]
        self.verdict = None
        if BASELINE in run.models:
            self._compare(run.models[BASELINE])
        elif self._has_learned_labels_alone():
            alone = run.build(0)
            alone.set_weights(run.labels_alone)
            self._compare(alone, "supervised phase", run.data)
        self.examined, self._images = self._examine()

    def _has_learned_labels_alone(self):
        """Returns whether a supervised phase can stand in for a baseline.

        It cannot if the run was interrupted, and ended with it.
        """
        run = self._run
        is_over = len(run.results[STUDENT]) > 1
        return run.labels_alone is not None and is_over and run.data.validation

    def results(self, phases):
        """Returns what the report says of the run, a dict for JSON.

        Args:
            phases: List of `Phase`, those that were planned.
        """
        run, results = self._run, self._run.results
        *_, baseline = results.get(BASELINE, [None])
        (linear_probe,) = results.get(LINEAR_PROBE, [None])
        planned = collections.Counter(phase.branch for phase in phases)
        steps = {
            name: phase.branch
            for name, phase in waterfall_steps(phases).items()
        }

        def is_complete(name):
            return len(results.get(steps[name], ())) == planned[steps[name]]

        waterfall = [
            {
                "name": name,
                "validation": results[steps[name]][-1]["validation"],
                "test": results[steps[name]][-1]["test"],
            }
            # Without one of them, the next would have its gain as well.
            for name in itertools.takewhile(is_complete, steps)
        ]
        return {
            "phases": results[STUDENT],
            "baseline": baseline,
            "linear_probe": linear_probe,
            "waterfall": waterfall,
            "verdict": self.verdict,
            "examined": self.examined,
            "layers_know_labels": self._task.layers_know_labels,
            "time_limit": run.clock.limit,
            "left_out": run.left_out,
            "seconds": run.seconds,
        }

    def compiled_model(self):
        """Returns the model, compiled as it was trained or by the user."""
        task, model = self._task, self.model
        if not model.compiled:
            # For labels in the form of the user.
            scores = dataclasses.replace(task.scores, sparse=not task.one_hot)
            model.compile(
                optimizer_of_loop(),
                scores.loss(),
                metrics=[scores.accuracy()],
            )
        phases = self._run.results[STUDENT]
        is_trained = any(phase["steps"] for phase in phases)
        if is_trained or task.layers_know_labels:
            mark_layers_trained(model)
        return model

    def files(self):
        """Returns what the report writes beside its figures, `RunFiles`."""
        student = self._run.models[STUDENT]
        is_student = self.model is student
        models = {"model": self.model}
        if not is_student:
            models["last"] = student
        mistakes = examined = None
        if self.examined is not None:
            indices = [each["index"] for each in self.examined["mistakes"]]
            mistakes = self._images[indices]
            examined = image_source(self._images, "examined")
        labeler = Labeler(
            self.model,
            self._task.scores,
            self._run.last_policy if is_student else None,
            self._data.labeled[0],
        )
        known = self._run.features[STUDENT].predicted_pool(self.model)
        if known is not None:
            numbers, rows = known
            known = numbers, PseudoLabels(rows, None, None, self._task.scores)
        return RunFiles(
            models,
            mistakes,
            labeler,
            self._task.unlabeled,
            examined,
            known,
            self._run.progress.images,
        )

    def _examine(self):
        """Returns what is known of the mistakes, and images to show them."""
        split = "validation" if self._data.test is None else "test"
        if getattr(self._data, split) is not None:
            images, labels = getattr(self._data, split)
            found = examine_predictions(
                self._predict(self.model, images), labels, self._task.scores
            )
            return {"split": split, **found}, images
        examined = None
        for phase in self._run.results[STUDENT]:
            found = phase.pop("examined", None)
            if found is not None:
                name = {"split": "cross-validation", "name": phase["name"]}
                examined = {**name, **found}
        return examined, self._data.labeled[0]

    def _compare(self, baseline, name="baseline", data=None):
        """Compares a model with the student, and keeps the better one.

        Args:
            baseline: Keras model.
            name: String.
            data: `PhaseData` of images that `baseline` was not trained on. By
                default of those that the student was not trained on either.
        """
        data, student = data or self._data, self.model
        # Validation images can choose a model. If all are trained on, test
        # images can at least tell the difference.
        split = "validation" if data.validation is not None else "test"
        if getattr(data, split) is None:
            return
        images, labels = getattr(data, split)
        figure, compare = self._comparison()
        verdict = compare(
            self._predict(baseline, images),
            self._predict(student, images),
            labels,
        )
        if verdict is None:
            return
        is_worse = split == "validation" and verdict.is_better is False
        if not is_worse and data.validation is not self._data.validation:
            return  # The student has learned these images.
        if is_worse:
            self.model = baseline
        kept = name if is_worse else "student"
        self.verdict = {
            **verdict.to_dict(),
            "figure": figure,
            "split": split,
            "reference": name,
            "kept": kept,
            "linear_probe": self._probe(figure, split, is_worse)
            if name == "baseline"
            else None,
        }

    def _comparison(self):
        """Returns what models are compared by, and the function for it."""
        recipe = self._run.recipe
        if not recipe.task.scores.one_true:
            return "mean_average_precision", compare_precisions
        if recipe.settings.balanced:
            return "balanced_accuracy", compare_recalls
        return "accuracy", compare_predictions

    def _probe(self, figure, split, keeps_baseline):
        """Compares the linear probe with the model that is kept."""
        if LINEAR_PROBE not in self._run.results:
            return None
        kept = BASELINE if keeps_baseline else STUDENT
        probe, model = (
            self._run.results[branch][-1][split][figure]
            for branch in (LINEAR_PROBE, kept)
        )
        return {
            "accuracy": probe,
            "accuracy_of_kept": model,
            "is_better": probe > model,
        }

    def _predict(self, model, images):
        return predict(model, images, self._task.scores)
