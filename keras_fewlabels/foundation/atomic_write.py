"""Files that are whole or not there."""

import contextlib
import os
import pathlib
import tempfile

# What the names of files begin with that are being written.
_UNFINISHED = ".unfinished-"


@contextlib.contextmanager
def atomic_write(path):
    """Opens a file that takes its place only when it is complete.

    The content goes to a new file beside `path` first. That file has a name
    nobody can guess, is never a link, and is removed when writing fails.
    Readers, other processes and a crash find the old file or the new one.

    Args:
        path: String or path of the file. Its folder must exist.

    Yields:
        A binary file to write to. Its `name` is the path of the unfinished
        file, for libraries that only write to paths.

    Raises:
        OSError: If the folder does not take a new file.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "answer.txt"
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"42")
    >>> path.read_text()
    '42'
    """
    path = pathlib.Path(path)
    # With the ending of the file, which some libraries ask for.
    descriptor, unfinished = tempfile.mkstemp(
        prefix=_UNFINISHED, suffix="".join(path.suffixes), dir=path.parent
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield _NamedFile(file, unfinished)
        with open(unfinished, "rb") as written:
            os.fsync(written.fileno())
        # `mkstemp` lets nobody else read; a new file has the user's rights.
        os.chmod(unfinished, 0o666 & ~_umask())
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def write_whole(path, content):
    """Writes a file whole, over an earlier one.

    Args:
        path: String or path of the file.
        content: Bytes, or a string that is encoded as UTF-8.

    Raises:
        OSError: If the file cannot be written.
    """
    if isinstance(content, str):
        content = content.encode()
    with atomic_write(path) as file:
        file.write(content)


def remove_unfinished(folder):
    """Removes the files that a killed process has left in a folder.

    Call it while no other process writes to the folder.

    Args:
        folder: `pathlib.Path`, which need not exist.
    """
    for file in folder.glob(f"{_UNFINISHED}*"):
        file.unlink(missing_ok=True)


def folder_path(folder, argument="folder"):
    """Checks that a value is the path of a folder, which need not exist.

    Args:
        folder: String or path.
        argument: String, the name of the argument in the error.

    Returns:
        A `pathlib.Path`, with `~` expanded.

    Raises:
        ValueError: If `folder` is not a path, or is empty.
    """
    try:
        if os.fspath(folder):
            return pathlib.Path(os.path.expanduser(os.fsdecode(folder)))
    except TypeError:
        pass
    raise ValueError(
        f"`{argument}` must be the path of a folder. "
        f"Received: {argument}={folder!r}"
    )


def writable_folder(folder, argument="folder"):
    """Creates a folder unless it exists, and checks that it takes new files.

    Args:
        folder: String or path.
        argument: String, the name of the argument in the error.

    Returns:
        A `pathlib.Path`, with `~` expanded.

    Raises:
        ValueError: If `folder` is not a path, or is empty.
        OSError: If the folder cannot be created, or takes no new files.
    """
    folder = folder_path(folder, argument)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".writable-", dir=folder):
            pass
    except OSError as error:
        raise type(error)(
            f"`{argument}` must be a folder in which you may create files. "
            f"Received: {argument}={str(folder)!r} ({error})"
        ) from error
    return folder


class _NamedFile:
    """A binary file under the path it has, not the number that Python has."""

    def __init__(self, file, name):
        self._file = file
        self.name = name

    def __getattr__(self, name):
        return getattr(self._file, name)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
