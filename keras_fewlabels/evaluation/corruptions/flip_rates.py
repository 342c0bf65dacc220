import dataclasses

import numpy as np

from keras_fewlabels.foundation import Result, text_table
from keras_fewlabels.plots.results.flip_rates import flip_rates


@dataclasses.dataclass(frozen=True)
class FlipRates(Result):
    """The shares of frames in which a prediction changes.

    `evaluate_flip_rate` returns it. `print(flips)` shows a table,
    `flips.figure()` draws it, `flips.to_dict()` returns it, and
    `flips.save(folder)` writes `flip_rates.json` and `flip_rates.png`.

    Args:
        rates: Dict of names of perturbations to floats in 0 to 1.

    Attributes:
        mean: Float, the mean of the rates.

    Example:

    >>> from keras_fewlabels.evaluation.corruptions.flip_rates import FlipRates
    >>> FlipRates({"rotate": 0.25, "tilt": 0.125}).mean
    0.1875
    """

    rates: dict

    file_name = "flip_rates"

    @property
    def mean(self):
        return float(np.mean(list(self.rates.values())))

    def to_dict(self):
        """Returns the rates and their mean as a dict that JSON can hold."""
        return {"mean": self.mean, "rates": dict(self.rates)}

    def figure(self):
        """Draws a bar per perturbation.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return flip_rates(self.rates)

    def __str__(self):
        rows = [*self.rates.items(), ("mean", self.mean)]
        return "\n".join(
            text_table(
                ("perturbation", "flips in %"),
                [(name, f"{100 * rate:.1f}") for name, rate in rows],
            )
        )
