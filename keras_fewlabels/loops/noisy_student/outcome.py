"""What came of a fit: the model to keep, and where it is wrong."""

from keras_fewlabels.evaluation.verdict import compare_predictions
from keras_fewlabels.loops.noisy_student.examine import (
    find_mistakes,
    label_pool,
)
from keras_fewlabels.loops.noisy_student.score import predict
from keras_fewlabels.loops.report.run_files import RunFiles


class Outcome:
    """Judges the models of a fit, and keeps the better one.

    The model of the last phase is compared with the baseline, if there is
    one, on images that neither was trained on. The baseline is kept if it is
    better on the validation images beyond chance; test images choose nothing.

    Args:
        fit: `Generations` that have run.
        data: `PhaseData` as the last phase had it.
        task: `Task`.

    Attributes:
        model: The Keras model that is kept.
        verdict: Dict of `evaluation.Verdict`, with `split` and `kept`, or
            `None`.
    """

    def __init__(self, fit, data, task):
        self.model = fit.model
        self.verdict = None
        if fit.baseline_model is not None:
            self._judge(fit.baseline_model, data, task)
        self._last, self._task = fit.model, task
        self._images, self._examined = None, None
        split = "validation" if data.test is None else "test"
        if getattr(data, split) is not None:
            self._images, labels = getattr(data, split)
            scores = predict(self.model, self._images, task.from_logits)
            found = find_mistakes(scores, labels)
            self._examined = {"split": split, **found}

    def details(self):
        """What the report says of it: `verdict` and `examined`."""
        return {"verdict": self.verdict, "examined": self._examined}

    def files(self):
        """What the report writes beside its figures, `RunFiles`."""
        models = {"model": self.model}
        if self._last is not self.model:
            models["last"] = self._last
        mistakes = None
        if self._examined is not None:
            places = [each["index"] for each in self._examined["mistakes"]]
            mistakes = self._images[places]
        task = self._task
        pool = label_pool(self.model, task.unlabeled, task.from_logits)
        return RunFiles(models, mistakes, pool)

    def _judge(self, baseline, data, task):
        # Validation images can choose; where all are learned, test images
        # can at least tell.
        split = "validation" if data.validation is not None else "test"
        if getattr(data, split) is None:
            return
        images, labels = getattr(data, split)
        scores = (
            predict(model, images, task.from_logits)
            for model in (baseline, self.model)
        )
        verdict = compare_predictions(*scores, labels)
        is_worse = split == "validation" and verdict.is_better is False
        if is_worse:
            self.model = baseline
        kept = "baseline" if is_worse else "student"
        self.verdict = {**verdict.to_dict(), "split": split, "kept": kept}
