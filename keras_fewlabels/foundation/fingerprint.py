"""Short strings that tell one thing from another."""

import hashlib

import keras
import numpy as np

# What a layer knows of the images it has seen; how it is trained; and seeds,
# which some layers of Keras make up.
_NOT_ESSENTIAL = (
    "build_config",
    "build_input_shape",
    "compile_config",
    "seed",
)


def fingerprint(*parts):
    """Returns a string of 16 digits that changes with every part.

    Args:
        *parts: Arrays, numbers, strings, and lists, tuples or dicts of these.

    Example:

    >>> fingerprint(np.zeros(3), "a") == fingerprint(np.zeros(3), "b")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, dict):
            part = list(part.items())
        if isinstance(part, list | tuple):
            part = fingerprint(*part)
        if isinstance(part, np.ndarray) and part.dtype.hasobject:
            # The bytes would be those of addresses.
            part = fingerprint(part.shape, part.tolist())
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).reshape(-1).view("uint8"))
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def file_fingerprint(path):
    """Returns a string of 64 digits that changes with the bytes of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def essential_config(layer):
    """Returns how a layer is configured, whatever it is called or has seen.

    Keras numbers the layers of a process, so that the same layer may have
    another name in the next one.

    Args:
        layer: Keras layer or model, or `None`.

    Returns:
        A dict, or `None`.
    """
    names = set()

    def essence(value):
        if isinstance(value, dict):
            # Dtypes have nothing but a name, which is essential.
            if isinstance(value.get("name"), str) and len(value) > 1:
                names.add(value["name"])
            return {
                key: essence(entry)
                for key, entry in value.items()
                if key not in _NOT_ESSENTIAL
            }
        if isinstance(value, list | tuple):
            entries = map(essence, value)
            return [entry for entry in entries if not _is_input(entry)]
        # A functional model also has the names of what it connects.
        return "a name" if isinstance(value, str) and value in names else value

    return essence(keras.saving.serialize_keras_object(layer))


def _is_input(entry):
    """Returns whether it is what a `Sequential` gets when it is built."""
    return isinstance(entry, dict) and entry.get("class_name") == "InputLayer"
