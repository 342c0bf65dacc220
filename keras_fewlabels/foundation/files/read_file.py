"""Files that are read, whatever has become of them."""

import errno
import os
import pathlib
import stat

# Larger files are refused, so that a damaged one cannot fill the memory.
_MOST_BYTES = 2**30
_MOST_TEXT = 2**28


def open_file(path, most_bytes=_MOST_BYTES):
    """Opens a regular file for reading.

    A pipe, whose opening or reading would wait for ever, is refused, also if
    it has taken the place of a file that was listed before.

    Args:
        path: String or path, in which `~` is expanded.
        most_bytes: Int, the largest size of a file that is opened.

    Returns:
        A binary file.

    Raises:
        OSError: If there is no such file, it cannot be opened, is not a
            regular file, or is too large.
        ValueError: If the path has a null character.
    """
    path = os.path.expanduser(os.fsdecode(path))
    flags = os.O_RDONLY
    for name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    status, reason = os.fstat(descriptor), None
    if not stat.S_ISREG(status.st_mode):
        reason = "not a regular file"
    elif status.st_size > most_bytes:
        reason = f"larger than {most_bytes:,} bytes"
    if reason is not None:
        os.close(descriptor)
        raise OSError(errno.EINVAL, reason, path)
    return os.fdopen(descriptor, "rb")


def read_text(path, argument, what):
    """Reads a file of text.

    Args:
        path: String or path, in which `~` is expanded.
        argument: String, the name of the argument in errors.
        what: String that completes "the argument must be ...".

    Returns:
        String, without the byte order mark that spreadsheets write. Line
        breaks are as they are in the file.

    Raises:
        ValueError: If there is no such file, it is larger than 256 MiB, or
            it is not UTF-8.
    """
    try:
        with open_file(path, _MOST_TEXT) as file:
            return file.read().decode("utf-8-sig")
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"`{argument}` must be {what}. "
            f"Received: {argument}={_shown(path)} ({error})"
        ) from error


def _shown(path):
    is_path = isinstance(path, pathlib.PurePath)
    return repr(str(path)) if is_path else repr(path)
