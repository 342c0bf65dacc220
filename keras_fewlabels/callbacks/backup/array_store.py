"""Arrays on disk, for a run that is killed and started again."""

import pathlib
import re
import warnings

import numpy as np

from keras_fewlabels.foundation import atomic_write, fingerprint, paths_in


class ArrayStore:
    """A folder of arrays, in files that are complete and intact or not read.

    Each file has the NumPy format `.npz`, without pickles. Beside its arrays
    it holds a fingerprint of what they were made from, and a checksum of its
    content. Several processes may share the folder.

    Args:
        folder: Path. The first file creates it.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def write(self, name, made_from, arrays):
        """Writes arrays into one file, over an earlier one of the same name.

        Args:
            name: String, the name of the file without its ending.
            made_from: String, the fingerprint of what the arrays depend on.
            arrays: Dict of strings to arrays.
        """
        checksum = fingerprint(made_from, arrays)
        arrays = {
            **arrays,
            "fingerprint": np.array(made_from),
            "checksum": np.array(checksum),
        }
        try:
            self._write(name, arrays)
        except FileNotFoundError:
            # Another process has just removed the folder, which was empty.
            self._write(name, arrays)

    def _write(self, name, arrays):
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.folder / f"{name}.npz") as file:
            np.savez(file, **arrays)

    def read(self, name, made_from):
        """Reads the arrays of one file.

        A warning names a damaged file, which then counts as missing.

        Args:
            name: String, the name of the file without its ending.
            made_from: String, the fingerprint that the arrays must have.

        Returns:
            Dict of arrays, or `None` if there is no such file or its
            fingerprint is another one.
        """
        path = self.folder / f"{name}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            stored = str(arrays.pop("fingerprint"))
            checksum = str(arrays.pop("checksum"))
            if checksum != fingerprint(stored, arrays):
                raise ValueError("its checksum is another one")
        except FileNotFoundError:
            return None
        # What zipfile, zlib and NumPy raise, depending on the damaged byte.
        except Exception as error:
            warnings.warn(
                f"{path} is damaged ({error}). What it held is computed again.",
                stacklevel=2,
            )
            return None
        return arrays if stored == made_from else None

    def names(self, prefix):
        """Returns the sorted names of the files of a prefix and a number.

        Other files in the folder are those of the user.
        """
        form = re.compile(rf"{prefix}([0-9a-f]{{16}}_)?\d{{5,}}")
        paths = paths_in(self.folder, prefix)
        names = [path.stem for path in paths if path.suffix == ".npz"]
        return sorted(filter(form.fullmatch, names))

    def remove(self, names):
        """Removes the files of these names, as far as they exist."""
        for name in names:
            (self.folder / f"{name}.npz").unlink(missing_ok=True)
