import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images


@pytest.fixture(scope="session")
def photographs():
    """A function of a size: six photographs of scikit-learn, uint8."""
    views = [
        photograph[:, start : start + 427]
        for photograph in load_sample_images().images
        for start in (0, 100, 200)
    ]

    def resized(height, width=None):
        return np.stack(
            [
                np.asarray(
                    Image.fromarray(view).resize(
                        (width or height, height), Image.Resampling.BOX
                    )
                )
                for view in views
            ]
        )

    return resized


@pytest.fixture
def generators():
    """A function of a number: as many random generators, always the same."""
    return lambda number: [
        np.random.default_rng(each) for each in range(number)
    ]
