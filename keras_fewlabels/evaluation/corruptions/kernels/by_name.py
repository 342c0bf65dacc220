"""The corruptions by the names that the benchmark gives them.

Each is a function `(images, severity, generators)` of floats in 0 to 1 of
shape `(batch, height, width, channels)`, a severity from 1 to 5, and a random
generator per image, so that an image is the same in any batch. It returns
floats of the same shape, which may exceed the range a little.
"""

from keras_fewlabels.evaluation.corruptions.kernels.blur import (
    defocus_blur,
    gaussian_blur,
    glass_blur,
    motion_blur,
    zoom_blur,
)
from keras_fewlabels.evaluation.corruptions.kernels.digital import (
    contrast,
    elastic_transform,
    jpeg_compression,
    pixelate,
    saturate,
)
from keras_fewlabels.evaluation.corruptions.kernels.noise import (
    gaussian_noise,
    impulse_noise,
    shot_noise,
    speckle_noise,
)
from keras_fewlabels.evaluation.corruptions.kernels.spatter import spatter
from keras_fewlabels.evaluation.corruptions.kernels.weather import (
    brightness,
    fog,
    frost,
    snow,
)

CORRUPTIONS = {
    function.__name__: function
    for function in (
        *(gaussian_noise, shot_noise, impulse_noise),
        *(defocus_blur, glass_blur, motion_blur, zoom_blur),
        *(snow, frost, fog, brightness),
        *(contrast, elastic_transform, pixelate, jpeg_compression),
        # The four that are meant for choosing settings.
        *(speckle_noise, gaussian_blur, spatter, saturate),
    )
}
