import io

import numpy as np
import pytest
from PIL import Image

from keras_fewlabels.evaluation.corruptions.kernels.resampling import (
    jpeg_compression,
    pixelate,
)


def check(function, severity, images, expected):
    found = function(images / np.float32(255), severity, None)
    for image, output in zip(images, found, strict=True):
        mode = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        wanted = np.asarray(expected(mode)).reshape(image.shape)
        np.testing.assert_allclose(255 * output, wanted, atol=1e-3)


@pytest.mark.parametrize(
    "side, severity, quality", [(32, 1, 80), (32, 3, 58), (224, 5, 7)]
)
@pytest.mark.parametrize("num_channels", [1, 3])
def test_jpeg_of_pillow(side, severity, quality, num_channels, photographs):
    def stored(image):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    images = photographs(side)[..., :num_channels]
    check(jpeg_compression, severity, images, stored)


@pytest.mark.parametrize(
    "height, width, severity, small",
    [
        (32, 32, 1, (30, 30)),
        (32, 32, 5, (20, 20)),
        (40, 32, 3, (27, 34)),
        (224, 300, 5, (75, 56)),
    ],
)
def test_pixelate_of_pillow(height, width, severity, small, photographs):
    check(
        pixelate,
        severity,
        photographs(height, width),
        lambda image: image.resize(small, Image.Resampling.BOX).resize(
            (width, height), Image.Resampling.BOX
        ),
    )
