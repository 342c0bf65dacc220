import copy
import dataclasses

# So many files of a kind are printed.
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class FolderFindings:
    """What was found in folders of images, as a table and a dict.

    `load_image_folders` makes it. `print(findings)` shows the table with the
    first files of each kind, and `to_dict()` has all of them.

    Args:
        folders: Dict of parts ("labeled", "unlabeled", "validation", "test")
            to dicts of `path`, `num_files`, `num_images` and `class_counts`
            (a dict of class names to ints, or `None`).
        findings: List of `Finding`, a file each.
        notes: List of sentences about the folders as a whole.
        image_size: Optional pair of ints, the height and width that images
            are resized to.

    Example:

    >>> from keras_fewlabels.data.folders.folder_findings import Finding
    >>> findings = keras_fewlabels.data.FolderFindings(
    ...     {
    ...         "labeled": {
    ...             "path": "flowers",
    ...             "num_files": 6,
    ...             "num_images": 5,
    ...             "class_counts": {"daisy": 2, "rose": 3},
    ...         }
    ...     },
    ...     [Finding("empty", "labeled", "rose/4.jpg")],
    ...     ["labeled has few images of daisy (2)"],
    ... )
    >>> print(findings)
    labeled: 5 images of 6 files in flowers (daisy 2, rose 3)
    labeled has few images of daisy (2)
    1 file skipped
      empty (0 bytes): 1
        labeled: rose/4.jpg
    """

    folders: dict
    findings: list
    notes: list
    image_size: tuple | None = None

    def to_dict(self):
        """Returns all there is as a dict that JSON can hold.

        Returns:
            Dict of `folders`, `notes` and `image_size` as above, and of
            `skipped` and `used`: lists of dicts of `kind`, `meaning`, `count`
            and `files`, and each file a dict of `part`, `file` and `detail`.
        """
        return {
            "folders": copy.deepcopy(self.folders),
            "notes": list(self.notes),
            "image_size": self.image_size and list(self.image_size),
            "skipped": list(self._kinds(SKIPPED)),
            "used": list(self._kinds(USED)),
        }

    def __str__(self):
        details = self.to_dict()
        lines = [_part(*item) for item in details["folders"].items()]
        lines += details["notes"]
        for heading, action in (
            ("skipped", "skipped"),
            ("used", "used, but look at them"),
        ):
            kinds = details[heading]
            if kinds:
                # A file can be of several kinds.
                files = {
                    (file["part"], file["file"])
                    for kind in kinds
                    for file in kind["files"]
                }
                lines.append(f"{_counted(len(files), 'file')} {action}")
            for kind in kinds:
                lines += _kind(kind)
        return "\n".join(lines)

    def _kinds(self, meanings):
        for kind, meaning in meanings.items():
            files = [
                {"part": each.part, "file": each.file, "detail": each.detail}
                for each in self.findings
                if each.kind == kind
            ]
            if files:
                yield {
                    "kind": kind,
                    "meaning": meaning,
                    "count": len(files),
                    "files": files,
                }


def _part(part, facts):
    line = (
        f"{part}: {_counted(facts['num_images'], 'image')} of "
        f"{_counted(facts['num_files'], 'file')} in {facts['path']}"
    )
    counts = facts["class_counts"]
    if counts is None:
        return line
    counts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"{line} ({counts})"


def _kind(kind):
    lines = [f"  {kind['kind']} ({kind['meaning']}): {kind['count']:,}"]
    for file in kind["files"][:_SHOWN]:
        detail = f" ({file['detail']})" if file["detail"] else ""
        lines.append(f"    {file['part']}: {file['file']}{detail}")
    more = kind["count"] - _SHOWN
    return lines + ([f"    and {more:,} more"] if more > 0 else [])


def _counted(count, noun):
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# Kinds of files that are left out, in the order of the report.
SKIPPED = {
    "empty": "0 bytes",
    "no image": "in none of the formats that are read",
    "damaged": "cannot be decoded",
    "unsupported": "an image of a kind that is not read",
    "unreadable": "cannot be opened",
    "folder link": "to a folder that is read already",
    "no class": "outside of the class folders",
    "two classes": "copies of an image in two classes, all left out",
    "copy": "of an image that is used",
    "in another part": "copies of an image that must not be in two",
}
# Kinds of files that are used all the same.
USED = {
    "CMYK": "converted",
    "16 bits": "the upper 8 are used",
    "transparent": "laid over white",
    "palette": "converted",
    "frames": "the first one is used",
    "grey": "in three equal channels",
    "enlarged": "to more than twice their size",
    "another shape": "sides of a ratio that is off by more than a half",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Something that a user should know of a file.

    Args:
        kind: String, a key of `SKIPPED` or `USED`.
        part: String, which folder the file is in: "labeled", "unlabeled",
            "validation" or "test".
        file: String, its path relative to that folder, as text.
        detail: String, which may be empty.
    """

    kind: str
    part: str
    file: str
    detail: str = ""
