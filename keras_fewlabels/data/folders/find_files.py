"""The files below a folder, each of them once."""

import os
import stat
import unicodedata

# What systems and programs leave behind, beside names that begin with a dot.
_NOT_MEANT = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}


def find_files(root):
    """Lists the files below a folder.

    Links are followed, but no folder is read twice: a link to a folder above
    it, or to one that was read already, is no more than named. Hidden files
    are passed over.

    Args:
        root: String, the folder.

    Returns:
        Pair of lists, sorted. The paths of files relative to the folder, and
        `(path, kind, detail)` of what could not be read, with a kind of
        `SKIPPED`.
    """
    files, faults = [], []
    seen = _identities_above(root)
    folders, links = [""], []
    while folders or links:
        # Links last: they take no place that is the folder's own.
        inside = folders.pop() if folders else links.pop()
        identity = _identity(os.path.join(root, inside))
        if inside and identity in seen:
            target = os.path.realpath(os.path.join(root, inside))
            faults.append((inside, "folder link", f"to {shown(target)}"))
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
            else:  # A pipe would be waited for without end.
                faults.append((path, "unreadable", "neither file nor folder"))
        links.sort(reverse=True)
    return sorted(files), sorted(faults)


def is_hidden(name):
    """Whether a file or folder is none that a user has put there."""
    return name.startswith(".") or name.lower() in _NOT_MEANT


def class_folders(root):
    """The classes that the folders directly in a folder stand for.

    Args:
        root: String, the folder.

    Returns:
        List of strings, sorted; empty folders included.
    """
    return sorted(
        class_name(entry.name)
        for entry in os.scandir(root)
        if entry.is_dir() and not is_hidden(entry.name)
    )


def class_name(path):
    """The class of a file: the first folder of its path.

    Systems store letters with accents in two ways, so names are made alike.
    """
    return unicodedata.normalize("NFC", shown(path.partition(os.sep)[0]))


def shown(path):
    """A path as text that can be written anywhere, whatever its bytes."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _identities_above(root):
    """The folders that hold a folder: a link to one leads back in."""
    path = os.path.dirname(os.path.realpath(root))
    identities = {_identity(path)}
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        identities.add(_identity(path))
    return identities


def _identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino
