import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def save(tmp_path):
    """Writes an image of noise, of its own for each name, into a folder."""

    def save_image(name, mode="RGB", size=(6, 5), like=None, **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = list(str(like or name).encode())
        shape = (*size, 3) if mode != "I;16" else size
        dtype = "uint8" if mode != "I;16" else "uint16"
        high = np.iinfo(dtype).max
        noise = np.random.default_rng(seed).integers(0, high, shape, dtype)
        image = Image.fromarray(noise)
        if image.mode != mode:
            image = image.convert(mode)
        image.save(path, **options)
        return path

    return save_image
