import time

import keras
import numpy as np

from keras_fewlabels.callbacks.starting_point import StartingPoint
from keras_fewlabels.foundation import check_int, check_verbose
from keras_fewlabels.loops.check_compiled import check_compiled
from keras_fewlabels.loops.tuning.batch_sizes import BatchSizes

# The first step compiles, the second one may still grow memory pools.
_WARM_UP_STEPS = 2


def find_batch_size(
    model,
    x,
    y=None,
    *,
    batch_sizes=(8, 16, 32, 64, 128, 256, 512, 1024),
    num_steps=10,
    verbose="auto",
):
    """Measures how fast a model trains at growing batch sizes.

    Takes real train steps at each batch size, until memory runs out or the
    sizes end. Then the model gets back its weights, optimizer, seeds, metrics
    and compiled train step, also after an error or Ctrl-C. The batches repeat
    the first images, so the time to read and augment data is not measured. A
    suggested size has been trained with. A larger batch size in validation,
    or another program on the device, may still need more memory than there
    is.

    Args:
        model: Compiled and built Keras model.
        x: Array of images, or a `tf.data.Dataset` or `PyDataset` of batches
            `(x, y)` or `(x, y, sample_weight)`, of which the first batch is
            drawn.
        y: Array of labels, if `x` is an array.
        batch_sizes: Sequence of ints, ascending.
        num_steps: Int, the number of steps at each size, of whose times the
            median counts. Two more steps come first, in which the model
            compiles.
        verbose: `"auto"`, 0, 1 or 2, as for `fit()`: how the progress over
            the batch sizes is shown.

    Returns:
        A result with the `suggestion`, the smallest batch size with at least
        90 % of the best throughput, and `throughputs`, a dict of batch sizes
        to images per second. `print()` shows both, `figure()` draws them,
        `to_dict()` and `save(folder)` keep them.

    Raises:
        ValueError: If the model is not compiled, not built, takes several
            steps at once or trains on several devices of a `tf.distribute`
            strategy; if an argument is out of its range; or if there is no
            image, or not one label per image.
        MemoryError: If not even the smallest batch size fits into memory.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((10, 4)), np.ones((10, 1))
    >>> sizes = keras_fewlabels.loops.find_batch_size(
    ...     model, x, y, batch_sizes=[8, 64], verbose=0
    ... )
    >>> list(sizes.throughputs)
    [8, 64]
    >>> sizes.suggestion in (8, 64)
    True
    """
    check_compiled(model)
    _check_model(model)
    _check_batch_sizes(batch_sizes)
    check_int(num_steps, "num_steps")
    bar = keras.utils.Progbar(
        len(batch_sizes), verbose=check_verbose(verbose), unit_name="size"
    )
    images = first_images(x, y, max(batch_sizes))
    start = StartingPoint(model, everything=True)
    train_function = model.train_function
    try:
        return _measure(model, images, batch_sizes, num_steps, bar)
    finally:
        start.restore()
        model.train_function = train_function


def _measure(model, images, batch_sizes, num_steps, bar):
    throughputs = {}
    for size in batch_sizes:
        try:
            seconds = _seconds_per_step(model, _repeat(images, size), num_steps)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if not throughputs:
                raise MemoryError(
                    "Not even the smallest batch size fits into memory. Pass "
                    "smaller `batch_sizes`, or take smaller images or a "
                    f"smaller model. Received: batch_sizes={batch_sizes}"
                ) from error
            bar.update(len(throughputs), finalize=True)
            return BatchSizes(throughputs, out_of_memory=size)
        throughputs[size] = size / seconds
        bar.update(len(throughputs), [(f"images/s at {size}", size / seconds)])
    return BatchSizes(throughputs)


def _seconds_per_step(model, batch, num_steps):
    # A function compiled for several sizes would leave the size open.
    model.train_function = None
    seconds = []
    for _ in range(_WARM_UP_STEPS + num_steps):
        start = time.perf_counter()
        logs = model.train_on_batch(*batch)
        # A step is over when its loss can be read.
        keras.tree.map_structure(keras.ops.convert_to_numpy, logs)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[_WARM_UP_STEPS:]))


def _repeat(arrays, size):
    return keras.tree.map_structure(
        lambda array: array[np.arange(size) % len(array)], arrays
    )


def _check_model(model):
    if not getattr(model, "student", model).built:
        raise ValueError(
            "The model must have its weights, so that they can be restored. "
            "Add a `keras.Input`, or call `model.build(input_shape)`. "
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


def _check_batch_sizes(batch_sizes):
    is_list = isinstance(batch_sizes, (list, tuple, range))
    are_sizes = is_list and all(
        isinstance(size, int) and size > 0 for size in batch_sizes
    )
    is_ascending = are_sizes and sorted(set(batch_sizes)) == list(batch_sizes)
    if not (is_ascending and batch_sizes):
        raise ValueError(
            "`batch_sizes` must be one or more positive ints, ascending. "
            f"Received: batch_sizes={batch_sizes}"
        )


def first_images(x, y, limit):
    """Returns the first images of a data set, with their labels and weights.

    Args:
        x: Array of images, or nested arrays; or, if `y` is `None`, a dataset
            of batches, of which the first one is drawn.
        y: Array of labels, or `None`.
        limit: Int, the largest number of images to return.

    Returns:
        Tuple of the arrays that `train_on_batch()` takes, in the dtypes to
        which `fit()` converts them.

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


_ERROR_NAMES = {"ResourceExhaustedError", "OutOfMemoryError"}
# XLA, cuDNN and cuBLAS raise a plain RuntimeError or InternalError, and so
# does torch on the CPU.
_ERROR_PHRASES = (
    "resource_exhausted",
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "oom when allocating",
    "status_alloc_failed",
)


def is_out_of_memory(error):
    """Returns whether an exception means that memory has run out.

    Args:
        error: An exception of Python, TensorFlow, JAX or torch.

    Example:

    >>> from keras_fewlabels.loops.tuning.find_batch_size import (
    ...     is_out_of_memory,
    ... )
    >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    True
    >>> is_out_of_memory(RuntimeError("shapes do not agree"))
    False
    """
    if isinstance(error, MemoryError) or type(error).__name__ in _ERROR_NAMES:
        return True
    text = str(error).lower()
    return any(phrase in text for phrase in _ERROR_PHRASES)
