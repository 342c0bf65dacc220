"""The files below a folder, each listed once."""

import os
import stat
import unicodedata

from keras_fewlabels.foundation import printable

# Files and folders that systems create, beside names that begin with a dot.
_SYSTEM_NAMES = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}


def find_files(root):
    """Lists the files below a folder.

    Links are followed, but no folder is read twice: a link to a folder above
    `root`, or to a folder that was read already, is reported and not
    followed. Hidden files are skipped.

    Args:
        root: String, the folder.

    Returns:
        Pair of sorted lists: the paths of the files relative to the folder,
        and a tuple `(path, kind, detail)` for each entry that could not be
        read, with a kind of `SKIPPED`.
    """
    files, faults = [], []
    seen = _identities_above(root)
    folders, links = [""], []
    while folders or links:
        # Links come last, so that files are listed under the real folder.
        inside = folders.pop() if folders else links.pop()
        identity = _identity(os.path.join(root, inside))
        if inside and identity in seen:
            target = os.path.realpath(os.path.join(root, inside))
            faults.append((inside, "folder link", f"to {printable(target)}"))
            continue
        seen.add(identity)
        try:
            entries = list(os.scandir(os.path.join(root, inside)))
        except OSError as error:
            faults.append((inside, "unreadable", error.strerror))
            continue
        for entry in entries:
            if is_hidden(entry.name):
                continue
            path = os.path.join(inside, entry.name)
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                faults.append((path, "unreadable", error.strerror))
                continue
            if stat.S_ISDIR(mode):
                (links if entry.is_symlink() else folders).append(path)
            elif stat.S_ISREG(mode):
                files.append(path)
            else:  # Reading a pipe would never end.
                faults.append((path, "unreadable", "neither file nor folder"))
        links.sort(reverse=True)
    return sorted(files), sorted(faults)


def is_hidden(name):
    """Returns whether a file or folder is hidden or created by the system."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def class_folders(root):
    """Returns the names of the folders directly in a folder, sorted.

    Each of them stands for a class. Empty folders are included.

    Args:
        root: String, the folder.
    """
    return sorted(
        class_name(entry.name)
        for entry in os.scandir(root)
        if entry.is_dir() and not is_hidden(entry.name)
    )


def class_name(path):
    """Returns the class of a file, which is the first folder of its path.

    Unicode has two forms of letters with accents. The name has the composed
    form, whatever the file system stores. Line breaks and other characters
    that are not printed are escaped.
    """
    folder = path.partition(os.sep)[0]
    return unicodedata.normalize("NFC", printable(folder))


def _identities_above(root):
    """Returns the identities of the folders that contain a folder."""
    path = os.path.dirname(os.path.realpath(root))
    identities = {_identity(path)}
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        identities.add(_identity(path))
    return identities


def _identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino
