import pytest

from keras_fewlabels.loops.is_out_of_memory import is_out_of_memory


class ResourceExhaustedError(Exception):
    """Named as that of TensorFlow."""


class OutOfMemoryError(RuntimeError):
    """Named as that of torch."""


# What the backends said when asked for too much.
YES = [
    MemoryError(),
    ResourceExhaustedError("failed to allocate"),
    OutOfMemoryError("Tried to allocate 20.00 GiB"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 45 bytes."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("OOM when allocating tensor with shape[9]"),
]
NO = [
    ValueError("Shapes are incompatible"),
    RuntimeError("expected scalar type Float"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", YES, ids=str)
def test_out_of_memory(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", NO, ids=repr)
def test_other_errors(error):
    assert not is_out_of_memory(error)
