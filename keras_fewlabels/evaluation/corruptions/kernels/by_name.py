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
from keras_fewlabels.evaluation.corruptions.kernels.color import (
    brightness,
    contrast,
    saturate,
)
from keras_fewlabels.evaluation.corruptions.kernels.elastic_transform import (
    elastic_transform,
)
from keras_fewlabels.evaluation.corruptions.kernels.fog import fog
from keras_fewlabels.evaluation.corruptions.kernels.frost import frost
from keras_fewlabels.evaluation.corruptions.kernels.noise import (
    gaussian_noise,
    impulse_noise,
    shot_noise,
    speckle_noise,
)
from keras_fewlabels.evaluation.corruptions.kernels.resampling import (
    jpeg_compression,
    pixelate,
)
from keras_fewlabels.evaluation.corruptions.kernels.snow import snow
from keras_fewlabels.evaluation.corruptions.kernels.spatter import spatter

FUNCTIONS = {
    function.__name__: function
    for function in (
        gaussian_noise,
        shot_noise,
        impulse_noise,
        defocus_blur,
        glass_blur,
        motion_blur,
        zoom_blur,
        snow,
        frost,
        fog,
        brightness,
        contrast,
        elastic_transform,
        pixelate,
        jpeg_compression,
        speckle_noise,
        gaussian_blur,
        spatter,
        saturate,
    )
}
