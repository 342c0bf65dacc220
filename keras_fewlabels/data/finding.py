"""Something that a user should know of a file."""

import dataclasses

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
