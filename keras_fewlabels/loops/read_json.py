"""Files that a run left for a later one."""

import json


def read_json(file, remedy):
    """Reads a file of JSON.

    Args:
        file: Path.
        remedy: String, what to do if it is damaged, and what was received.

    Returns:
        What is in it.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}), {remedy}") from error
