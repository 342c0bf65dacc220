"""Files that a run left for a later one."""

import json


def read_json(file, remedy):
    """Reads a file of JSON.

    Args:
        file: Path.
        remedy: String, the end of the error: what to do, and what was
            received.

    Returns:
        The content.

    Raises:
        ValueError: If the file is damaged.
    """
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}), {remedy}") from error
