import dataclasses

from keras_fewlabels.foundation import Result, text_table
from keras_fewlabels.plots.results.batch_sizes import batch_sizes


@dataclasses.dataclass(frozen=True)
class BatchSizes(Result):
    """The images per second that a model trains on, for each batch size.

    Args:
        throughputs: Dict of batch sizes, ascending, to images per second.
        out_of_memory: Int, the first batch size that did not fit into memory;
            `None` if all did.

    Attributes:
        suggestion: Int, the knee: the smallest batch size with at least 90 %
            of the best throughput. Larger batches hardly make an epoch
            faster, but take memory, and give an optimizer fewer steps.

    Example:

    >>> from keras_fewlabels.loops.tuning.batch_sizes import BatchSizes
    >>> sizes = BatchSizes({8: 250.0, 16: 470.0, 32: 500.0}, out_of_memory=64)
    >>> sizes.suggestion
    16
    >>> print(sizes)
    batch size  images per second
             8              250.0
            16              470.0  <- suggestion
            32              500.0
            64      out of memory
    """

    throughputs: dict
    out_of_memory: int | None = None

    file_name = "batch_sizes"

    @property
    def suggestion(self):
        enough = 0.9 * max(self.throughputs.values())
        return min(
            size for size, rate in self.throughputs.items() if rate >= enough
        )

    def __str__(self):
        rows = [
            (size, f"{rate:.1f}") for size, rate in self.throughputs.items()
        ]
        if self.out_of_memory is not None:
            rows.append((self.out_of_memory, "out of memory"))
        head, *lines = text_table(("batch size", "images per second"), rows)
        for number, size in enumerate(self.throughputs):
            if size == self.suggestion:
                lines[number] += "  <- suggestion"
        return "\n".join([head, *lines])

    def to_dict(self):
        """Returns the suggestion and what was measured.

        Returns:
            Dict of `"suggestion"`, an int; `"throughputs"`, a dict of batch
            sizes as strings to images per second; and `"out_of_memory"`, an
            int or `None`.
        """
        return {
            "suggestion": self.suggestion,
            "throughputs": {
                str(size): rate for size, rate in self.throughputs.items()
            },
            "out_of_memory": self.out_of_memory,
        }

    def figure(self):
        """Draws the images per second over the batch size.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return batch_sizes(self.throughputs, self.suggestion)
