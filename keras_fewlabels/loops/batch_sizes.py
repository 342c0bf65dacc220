import dataclasses


@dataclasses.dataclass(frozen=True)
class BatchSizes:
    """How many images per second a model trains on, for each batch size.

    `loops.find_batch_size` returns it. `print(sizes)` shows the table, and
    `plots.batch_sizes(sizes.throughputs, sizes.suggestion)` draws it.

    Args:
        throughputs: Dict of batch sizes, ascending, to images per second.
        out_of_memory: Int, the first batch size that did not fit into memory;
            `None` if all did.

    Attributes:
        suggestion: Int, the knee: the smallest batch size with at least 90 %
            of the best throughput. Larger batches make an epoch hardly any
            faster, but take memory, and give an optimizer fewer steps.

    Example:

    >>> sizes = keras_fewlabels.loops.BatchSizes(
    ...     {8: 250.0, 16: 470.0, 32: 500.0}, out_of_memory=64
    ... )
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

    @property
    def suggestion(self):
        enough = 0.9 * max(self.throughputs.values())
        return min(
            size for size, rate in self.throughputs.items() if rate >= enough
        )

    def __str__(self):
        lines = ["batch size  images per second"]
        for size, rate in self.throughputs.items():
            mark = "  <- suggestion" if size == self.suggestion else ""
            lines.append(f"{size:10}{rate:19.1f}{mark}")
        if self.out_of_memory is not None:
            lines.append(f"{self.out_of_memory:10}{'out of memory':>19}")
        return "\n".join(lines)
