"""The snippets of pages, and the folders that their readers have."""

import pathlib
import re

import keras
from sklearn.datasets import load_digits

ROOT = pathlib.Path(__file__).parent.parent


def snippets_of(path):
    """Returns the Python code of a page, a string per snippet."""
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)


def write_folders_of_digits():
    """Writes the folders `labeled` and `unlabeled`, with a damaged file."""
    digits = load_digits()
    for number, (image, name) in enumerate(
        zip(digits.images[:200], digits.target, strict=False)
    ):
        folder = f"labeled/{name}" if number < 50 else "unlabeled"
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(f"{folder}/{number}.png", image[..., None])
    pathlib.Path("unlabeled", "broken.jpg").write_bytes(b"no image")
