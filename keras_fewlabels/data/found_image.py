"""An image file that can be read, and what was seen of it."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class FoundImage:
    """What is known of an image before anything is trained on it.

    Args:
        part: String, which folder it is in: "labeled", "unlabeled",
            "validation" or "test".
        file: String, its path relative to that folder.
        path: String, its path.
        label: Int, the number of its class, or `None`.
        size: Pair of ints, height and width.
        pixels: Bytes, the same for images with the same pixels only.
    """

    part: str
    file: str
    path: str
    label: int | None
    size: tuple
    pixels: bytes
