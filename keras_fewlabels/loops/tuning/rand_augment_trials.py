import dataclasses

from keras_fewlabels.foundation import Result, essential_config, text_table
from keras_fewlabels.layers.rand_augment import RandAugment
from keras_fewlabels.plots.results.rand_augment_trials import (
    rand_augment_trials,
)


@dataclasses.dataclass(frozen=True)
class RandAugmentTrials(Result):
    """The accuracy of a model after training with each RandAugment.

    Args:
        accuracies: Dict of pairs `(num_ops, magnitude)` to the accuracy on
            the validation data, a float in 0 to 1. `(0, 0)` is training
            without augmentation.
        options: Dict of the further arguments of each `RandAugment`, such as
            `table` and `value_range`.

    Attributes:
        suggestion: Pair `(num_ops, magnitude)` of the most accurate model.
            Among equals, which are frequent with few validation images, the
            weakest counts: fewest ops, then the smallest magnitude.

    Example:

    >>> from keras_fewlabels.loops.tuning.rand_augment_trials import (
    ...     RandAugmentTrials,
    ... )
    >>> trials = RandAugmentTrials(
    ...     {(0, 0): 0.8, (1, 5): 0.875, (2, 5): 0.875}, {"table": "fixmatch"}
    ... )
    >>> trials.suggestion
    (1, 5)
    >>> print(trials)
    num_ops  magnitude  accuracy in %
          0          0           80.0
          1          5           87.5  <- suggestion
          2          5           87.5
    >>> trials.layer(seed=0).num_ops
    1
    """

    accuracies: dict
    options: dict

    file_name = "rand_augment_trials"

    @property
    def suggestion(self):
        highest = max(self.accuracies.values())
        return min(s for s, a in self.accuracies.items() if a == highest)

    def layer(self, seed=None):
        """Returns a new `RandAugment` with the suggested setting.

        If training without augmentation was the most accurate, images pass
        through the layer unchanged.
        """
        num_ops, magnitude = self.suggestion
        return RandAugment(num_ops, magnitude, seed=seed, **self.options)

    def __str__(self):
        rows = [
            (*setting, f"{100 * accuracy:.1f}")
            for setting, accuracy in self.accuracies.items()
        ]
        lines = text_table(("num_ops", "magnitude", "accuracy in %"), rows)
        lines[1 + list(self.accuracies).index(self.suggestion)] += (
            "  <- suggestion"
        )
        return "\n".join(lines)

    def to_dict(self):
        """Returns the suggestion, all trials, and the further arguments.

        Returns:
            Dict of `"suggestion"`, a dict with `"num_ops"` and `"magnitude"`;
            `"trials"`, a list of such dicts with `"accuracy"`; and
            `"options"`, a dict.
        """
        trials = [
            {"num_ops": num_ops, "magnitude": magnitude, "accuracy": accuracy}
            for (num_ops, magnitude), accuracy in self.accuracies.items()
        ]
        num_ops, magnitude = self.suggestion
        return {
            "suggestion": {"num_ops": num_ops, "magnitude": magnitude},
            "trials": trials,
            "options": essential_config(self.options),
        }

    def figure(self):
        """Draws the accuracy over the magnitude, a line per number of ops.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return rand_augment_trials(self.accuracies, self.suggestion)
