import numpy as np
import pytest

from keras_fewlabels.layers.rand_augment.tables import RANDAUGMENT

NAMES = tuple(RANDAUGMENT)


@pytest.fixture(params=[1, 3], ids=["grey", "rgb"])
def drawn_inputs(request):
    """Images, and draws of every op with each sign, as all forms take them."""
    batch_size, num_ops = 2 * len(NAMES), 3
    generator = np.random.default_rng(0)
    images = generator.integers(
        0, 256, (batch_size, 9, 8, request.param), "uint8"
    )
    # Every op at least once, each sign of each.
    drawn = np.arange(batch_size * num_ops) % len(NAMES)
    sign = generator.choice([-1, 1], drawn.shape)
    strength = [
        RANDAUGMENT[NAMES[i]].at(0.8, s)
        for i, s in zip(drawn, sign, strict=True)
    ]
    shape = (batch_size, num_ops)
    center = generator.uniform(size=(*shape, 2))
    return (
        images,
        NAMES,
        drawn.reshape(shape),
        np.float32(strength).reshape(shape),
        np.float32(center),
    )
