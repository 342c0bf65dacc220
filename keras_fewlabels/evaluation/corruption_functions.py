"""The corruptions by the names that the benchmark gives them.

Each is a function `(images, severity, generators)` of floats in 0 to 1 of
shape `(batch, height, width, channels)`, a severity from 1 to 5, and a random
generator per image, so that an image is the same in any batch. It returns
floats of the same shape, which may exceed the range a little.
"""

from keras_fewlabels.evaluation.blur import defocus_blur, gaussian_blur
from keras_fewlabels.evaluation.color import brightness, contrast, saturate
from keras_fewlabels.evaluation.elastic_transform import elastic_transform
from keras_fewlabels.evaluation.fog import fog
from keras_fewlabels.evaluation.frost import frost
from keras_fewlabels.evaluation.glass_blur import glass_blur
from keras_fewlabels.evaluation.motion_blur import motion_blur
from keras_fewlabels.evaluation.noise import (
    gaussian_noise,
    impulse_noise,
    shot_noise,
    speckle_noise,
)
from keras_fewlabels.evaluation.resampling import jpeg_compression, pixelate
from keras_fewlabels.evaluation.snow import snow
from keras_fewlabels.evaluation.spatter import spatter
from keras_fewlabels.evaluation.zoom_blur import zoom_blur

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
