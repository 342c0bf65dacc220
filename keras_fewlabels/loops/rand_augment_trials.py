import dataclasses

from keras_fewlabels.layers.rand_augment import RandAugment


@dataclasses.dataclass(frozen=True)
class RandAugmentTrials:
    """How accurate a model became with each setting of RandAugment.

    `loops.tune_rand_augment` returns it. `print(trials)` shows the table.

    Args:
        accuracies: Dict of pairs `(num_ops, magnitude)` to the accuracy on
            the validation data, a float in 0 to 1. `(0, 0)` is training
            without augmentation.
        options: Optional dict of further arguments of the `RandAugment` that
            was tried, such as `value_range`.

    Attributes:
        num_ops: Int, from the best setting. Among equals, which are frequent
            with few validation images, the weakest counts: fewest ops, then
            the smallest magnitude.
        magnitude: Number, from the same setting.

    Example:

    >>> trials = keras_fewlabels.loops.RandAugmentTrials(
    ...     {(0, 0): 0.8, (1, 5): 0.875, (2, 5): 0.875}
    ... )
    >>> trials.num_ops, trials.magnitude
    (1, 5)
    >>> print(trials)
    num_ops  magnitude  accuracy in %
          0          0           80.0
          1          5           87.5  <- best
          2          5           87.5
    >>> trials.layer(seed=0).num_ops
    1
    """

    accuracies: dict
    options: dict = dataclasses.field(default_factory=dict)

    @property
    def num_ops(self):
        return self._best[0]

    @property
    def magnitude(self):
        return self._best[1]

    def layer(self, seed=None):
        """Returns a new `RandAugment` with the best setting.

        If no augmentation was best, images pass through it.
        """
        return RandAugment(
            self.num_ops, self.magnitude, seed=seed, **self.options
        )

    @property
    def _best(self):
        highest = max(self.accuracies.values())
        return min(s for s, a in self.accuracies.items() if a == highest)

    def __str__(self):
        lines = ["num_ops  magnitude  accuracy in %"]
        for setting, accuracy in self.accuracies.items():
            num_ops, magnitude = setting
            mark = "  <- best" if setting == self._best else ""
            percent = f"{100 * accuracy:.1f}"
            lines.append(f"{num_ops:7}{magnitude:11}{percent:>15}{mark}")
        return "\n".join(lines)
