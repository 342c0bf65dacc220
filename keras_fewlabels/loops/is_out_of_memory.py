"""The many ways in which backends say that memory has run out."""

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

    >>> from keras_fewlabels.loops.is_out_of_memory import is_out_of_memory
    >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    True
    >>> is_out_of_memory(RuntimeError("shapes do not agree"))
    False
    """
    if isinstance(error, MemoryError) or type(error).__name__ in NAMES:
        return True
    text = str(error).lower()
    return any(phrase in text for phrase in PHRASES)
