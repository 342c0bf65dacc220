import copy
import dataclasses

from keras_fewlabels.foundation import Result

# Files that are printed per kind.
_PRINTED_FILES = 5
# Kinds of files that are not used, in the order of the report.
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
# Kinds of files that are used, but that a user should look at.
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
    """A file that is not used, or that a user should look at.

    Args:
        kind: String, a key of `SKIPPED` or `USED`.
        part: String, the folder of the file: "labeled", "unlabeled",
            "validation" or "test".
        file: String, its path relative to that folder, as text.
        detail: String, which may be empty.
    """

    kind: str
    part: str
    file: str
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class FolderFindings(Result):
    """The files of folders that were skipped, or that one should look at.

    `load_image_folders` returns it as `findings`. `print(findings)` shows a
    table with the first files of each kind, and `to_dict()` has all files.

    Args:
        folders: Dict of parts ("labeled", "unlabeled", "validation", "test")
            to dicts of `path`, `num_files`, `num_images` and `class_counts`
            (a dict of class names to ints, or `None`).
        findings: List of `Finding`, a file each.
        notes: List of sentences about the folders as a whole.
        image_size: Optional pair of ints, the height and width that images
            are resized to.

    Example:

    >>> from keras_fewlabels.data.folders.folder_findings import (
    ...     Finding,
    ...     FolderFindings,
    ... )
    >>> findings = FolderFindings(
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

    file_name = "folder_findings"

    def to_dict(self):
        """Returns the findings as a dict that JSON can hold.

        Returns:
            Dict of `folders`, `notes` and `image_size` as above, and of
            `skipped` and `used`: lists of dicts of `kind`, `meaning`, `count`
            and `files`. Each file is a dict of `part`, `file` and `detail`.
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
        lines = [_part_line(*item) for item in details["folders"].items()]
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
                lines += _kind_lines(kind)
        return "\n".join(lines)

    def _kinds(self, meanings):
        for kind, meaning in meanings.items():
            files = [
                {
                    "part": finding.part,
                    "file": finding.file,
                    "detail": finding.detail,
                }
                for finding in self.findings
                if finding.kind == kind
            ]
            if files:
                yield {
                    "kind": kind,
                    "meaning": meaning,
                    "count": len(files),
                    "files": files,
                }


def _part_line(part, facts):
    line = (
        f"{part}: {_counted(facts['num_images'], 'image')} of "
        f"{_counted(facts['num_files'], 'file')} in {facts['path']}"
    )
    counts = facts["class_counts"]
    if counts is None:
        return line
    counts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"{line} ({counts})"


def _kind_lines(kind):
    lines = [f"  {kind['kind']} ({kind['meaning']}): {kind['count']:,}"]
    for file in kind["files"][:_PRINTED_FILES]:
        detail = f" ({file['detail']})" if file["detail"] else ""
        lines.append(f"    {file['part']}: {file['file']}{detail}")
    more = kind["count"] - _PRINTED_FILES
    return lines + ([f"    and {more:,} more"] if more > 0 else [])


def _counted(count, noun):
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
