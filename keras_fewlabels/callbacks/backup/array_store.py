"""Pseudo-labels on disk, for a run that is killed and started again."""

import hashlib
import os
import pathlib
import warnings

import numpy as np


class LabelCache:
    """A folder of files that are complete and true, or not read.

    A file is written aside and then renamed, so that a crash leaves no half
    of one. It holds the fingerprint of what it was made from and a checksum
    of what it holds, as arrays in NumPy's `.npz` form without pickles.

    Args:
        folder: Path; made if it is not there.
        argument: String, how the caller calls the folder.
        remedy: String, what happens where a file is damaged.

    Raises:
        ValueError: If the folder cannot be written to.
    """

    def __init__(
        self,
        folder,
        argument="cache_dir",
        remedy="its images are labelled anew",
    ):
        self._remedy = remedy
        try:
            self.folder = pathlib.Path(folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / f".writable.{os.getpid()}"
            probe.touch()
            probe.unlink()
        except (OSError, TypeError) as error:
            raise ValueError(
                f"`{argument}` must be a folder that can be written to. "
                f"Received: {argument}={str(folder)!r} ({error})"
            ) from error

    def write(self, name, fingerprint, arrays):
        """Writes a dict of arrays under a name, all or nothing."""
        path = self.folder / f"{name}.npz"
        # Workers may share the folder: each writes a file of its own first.
        unfinished = self.folder / f".{name}.{os.getpid()}"
        with open(unfinished, "wb") as file:
            np.savez(
                file,
                **arrays,
                fingerprint=np.array(fingerprint),
                checksum=np.array(_checksum(fingerprint, arrays)),
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)

    def read(self, name, fingerprint):
        """Reads what was written under a name.

        A damaged file is named in a warning and counts as not there.

        Returns:
            Dict of arrays, or `None` if there is no file, or one of another
            fingerprint.
        """
        path = self.folder / f"{name}.npz"
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            found = str(arrays.pop("fingerprint"))
            checksum = str(arrays.pop("checksum"))
            if checksum != _checksum(found, arrays):
                raise ValueError("its checksum is another one")
        # What zipfile, zlib and NumPy raise, depending on the damaged byte.
        except Exception as error:
            warnings.warn(
                f"{path} is damaged ({error}); {self._remedy}.",
                stacklevel=2,
            )
            return None
        return arrays if found == fingerprint else None

    def names(self, prefix):
        """The names under which there are files, sorted."""
        return sorted(path.stem for path in self.folder.glob(f"{prefix}*.npz"))

    def remove(self, names):
        """Removes files; one that is gone already is no error."""
        for name in names:
            (self.folder / f"{name}.npz").unlink(missing_ok=True)


def fingerprint(*parts):
    """A short string that changes with every array, number or text in it."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, (list, tuple)):
            part = fingerprint(*part)
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _checksum(name, arrays):
    return fingerprint(
        name, *(part for pair in arrays.items() for part in pair)
    )
