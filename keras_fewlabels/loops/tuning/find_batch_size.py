import dataclasses
import time

import keras
import numpy as np

from keras_fewlabels.loops.check_compiled import check_compiled
from keras_fewlabels.loops.tuning.training_state import TrainingState

# The first step compiles, the second one may still grow memory pools.
WARM_UP_STEPS = 2


def find_batch_size(
    model,
    x,
    y=None,
    batch_sizes=(8, 16, 32, 64, 128, 256, 512, 1024),
    num_steps=10,
    verbose=0,
):
    """Measures how fast a model trains at growing batch sizes.

    Takes real train steps at each batch size, until memory runs out or sizes
    end, and gives the model back as it was: weights, optimizer, seeds,
    metrics and compiled train step. The batches repeat the first images, so
    that reading and augmenting data count for nothing. A size that is
    suggested has been trained with; but validation with a larger batch size,
    or another program on the device, may need more memory than there is.

    Args:
        model: Compiled and built Keras model.
        x: Array of images, or a `tf.data.Dataset` or `PyDataset` of batches
            `(x, y)` or `(x, y, sample_weight)`, of which the first batch is
            drawn.
        y: Array of labels, if `x` is an array.
        batch_sizes: Sequence of ints, ascending.
        num_steps: Int, the steps at each size, whose median counts. Two more
            go before, in which the model compiles.
        verbose: 0, or 1 to print a line for each size.

    Returns:
        A `loops.BatchSizes`: `suggestion` is the smallest batch size with at
        least 90 % of the best throughput, `throughputs` has the images per
        second, and `print()` shows both.

    Raises:
        ValueError: If the model is not compiled and built, or does several
            steps at once or on several devices of a `tf.distribute` strategy,
            if an argument is no such thing, or there is no image.
        MemoryError: If not even the smallest batch size fits into memory.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> sizes = keras_fewlabels.loops.find_batch_size(
    ...     model, np.ones((10, 4)), np.ones((10, 1)), batch_sizes=[8, 64]
    ... )
    >>> list(sizes.throughputs)
    [8, 64]
    >>> sizes.suggestion in (8, 64)
    True
    """
    check_compiled(model)
    _check_model(model)
    _check_numbers(batch_sizes, num_steps)
    first = first_images(x, y, max(batch_sizes))
    state = TrainingState(model)
    try:
        return _measure(model, first, batch_sizes, num_steps, verbose)
    finally:
        state.restore()


def _measure(model, first, batch_sizes, num_steps, verbose):
    throughputs = {}
    for size in batch_sizes:
        try:
            seconds = _seconds_per_step(model, _repeat(first, size), num_steps)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if not throughputs:
                raise MemoryError(
                    "Not even the smallest batch size fits into memory. Pass "
                    "smaller `batch_sizes`, or take smaller images or a "
                    f"smaller model. Received: batch_sizes={batch_sizes}"
                ) from error
            return BatchSizes(throughputs, out_of_memory=size)
        throughputs[size] = size / seconds
        if verbose:
            print(f"batch size {size}: {throughputs[size]:.1f} images/s")
    return BatchSizes(throughputs)


def _seconds_per_step(model, batch, num_steps):
    # One compiled for several sizes would leave the size open.
    model.train_function = None
    seconds = []
    for _ in range(WARM_UP_STEPS + num_steps):
        start = time.perf_counter()
        logs = model.train_on_batch(*batch)
        # A step is over when its loss can be read.
        keras.tree.map_structure(keras.ops.convert_to_numpy, logs)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[WARM_UP_STEPS:]))


def _repeat(arrays, size):
    return keras.tree.map_structure(
        lambda array: array[np.arange(size) % len(array)], arrays
    )


def _check_model(model):
    if not getattr(model, "student", model).built:
        raise ValueError(
            "The model must have its weights, to be given them back. Add a "
            "`keras.Input`, or call `model.build(input_shape)`. "
            f"Received: model={model.name!r}, which is not built"
        )
    if model.steps_per_execution != 1:
        raise ValueError(
            "Steps are measured one by one. Compile with "
            "`steps_per_execution=1`. Received: "
            f"steps_per_execution={model.steps_per_execution}"
        )
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is not None and strategy.num_replicas_in_sync > 1:
        raise ValueError(
            "Batches are measured on one device. Build the model outside of "
            "the strategy; the global batch size is the suggestion times the "
            f"number of replicas. Received: {strategy.num_replicas_in_sync} "
            "replicas"
        )


def _check_numbers(batch_sizes, num_steps):
    is_list = isinstance(batch_sizes, (list, tuple, range))
    whole = is_list and all(
        isinstance(size, int) and size > 0 for size in batch_sizes
    )
    ascending = whole and sorted(set(batch_sizes)) == list(batch_sizes)
    if not (ascending and batch_sizes):
        raise ValueError(
            "`batch_sizes` must be one or more positive ints, ascending. "
            f"Received: batch_sizes={batch_sizes}"
        )
    if not isinstance(num_steps, int) or num_steps < 1:
        raise ValueError(
            "`num_steps` must be an int, 1 or more. "
            f"Received: num_steps={num_steps}"
        )


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


def first_images(x, y, limit):
    """The first images of some data, with all that goes with them.

    Args:
        x: Array of images, or nested arrays; or, if `y` is `None`, a dataset
            of batches, of which the first one is drawn.
        y: Array of labels, or `None`.
        limit: Int, how many images are enough.

    Returns:
        Tuple of arrays, what `train_on_batch()` takes. Their dtypes are those
        that `fit()` would make of them.

    Raises:
        ValueError: If there is no image, or not one label for each.

    Example:

    >>> from keras_fewlabels.loops.tuning.find_batch_size import first_images
    >>> images, labels = first_images(np.zeros((9, 4, 4, 3)), np.arange(9), 2)
    >>> images.shape, labels
    ((2, 4, 4, 3), array([0, 1]))
    """
    data = (x, y)
    if y is None and not isinstance(x, np.ndarray | dict):
        # A PyDataset, counted or not, has no iterator.
        batches = [x[0]] if isinstance(x, keras.utils.PyDataset) else x
        data = next(iter(batches), np.zeros(0))
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    arrays = keras.tree.map_structure(
        lambda array: _as_in_fit(array[:limit]),
        tuple(part for part in (x, y, weight) if part is not None),
    )
    lengths = {len(array) for array in keras.tree.flatten(arrays)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            "There must be one image or more, and one label for each. "
            f"Received: arrays of lengths {sorted(lengths)}"
        )
    return arrays


def _as_in_fit(array):
    array = keras.ops.convert_to_numpy(array)
    if array.dtype.kind == "f":
        return array.astype(keras.config.floatx())
    return array


NAMES = {"ResourceExhaustedError", "OutOfMemoryError"}
# XLA, cuDNN and cuBLAS raise a plain RuntimeError or InternalError, and so
# does torch on the CPU.
PHRASES = (
    "resource_exhausted",
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "oom when allocating",
    "status_alloc_failed",
)


def is_out_of_memory(error):
    """Whether an exception of a train step means that memory has run out.

    Args:
        error: An exception of Python, TensorFlow, JAX or torch.

    Returns:
        Bool.

    Example:

    >>> from keras_fewlabels.loops.tuning.find_batch_size import (
    ...     is_out_of_memory,
    ... )
    >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    True
    >>> is_out_of_memory(RuntimeError("shapes do not agree"))
    False
    """
    if isinstance(error, MemoryError) or type(error).__name__ in NAMES:
        return True
    text = str(error).lower()
    return any(phrase in text for phrase in PHRASES)
