"""Files that are whole or not there."""

import contextlib
import os
import pathlib
import shutil
import tempfile

try:
    import fcntl
except ImportError:  # On Windows.
    fcntl = None

# What the names of folders begin with in which files are being written.
_UNFINISHED = ".unfinished-fewlabels-"


@contextlib.contextmanager
def atomic_write(path):
    """Opens a file that takes its place only when it is complete.

    The content goes to a new folder beside `path` first. That folder has a
    name nobody can guess, is never a link, and is removed when writing fails.
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
    with _own_folder(path.parent) as folder:
        # With the name of the file, whose ending some libraries ask for.
        unfinished = folder / path.name
        with open(unfinished, "xb") as file:
            yield _NamedFile(file, str(unfinished))
        # Windows flushes only what is open for writing.
        with open(unfinished, "r+b") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, path)


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
    """Removes what killed processes have left in a folder.

    Files that another process is writing stay, as far as the file system has
    locks.

    Args:
        folder: `pathlib.Path`, which need not exist.
    """
    for unfinished in paths_in(folder, _UNFINISHED):
        with contextlib.suppress(OSError):
            lock = _lock(unfinished)
            if lock is not None:
                shutil.rmtree(unfinished, ignore_errors=True)
            _unlock(lock)


def paths_in(folder, prefix):
    """Returns the paths in a folder whose names have this prefix.

    `pathlib.Path.glob` raises an error if another process removes the folder
    at that moment.

    Args:
        folder: `pathlib.Path`, which need not exist.
        prefix: String.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in names if name.startswith(prefix)]


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
        remove_unfinished(folder)
        with _own_folder(folder):
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


@contextlib.contextmanager
def _own_folder(parent):
    """Yields a new folder that nobody else writes to, removed at the end."""
    folder, lock = _new_folder(parent)
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            _unlock(lock)


def _new_folder(parent):
    while True:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=parent))
        try:
            lock = _lock(folder)
        except OSError:
            # Another process takes it for something that was left.
            continue
        if folder.exists():
            return folder, lock
        _unlock(lock)


def _lock(folder):
    """Locks a folder against removal, as long as this process lives.

    Returns:
        Int, an open file, or `None` if the file system has no locks.

    Raises:
        OSError: If another process has the lock, or `folder` is no folder.
    """
    if fcntl is None:
        return None
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return file


def _unlock(lock):
    if lock is not None:
        os.close(lock)
