import functools

import numpy as np

from keras_fewlabels.evaluation.checks import (
    as_array,
    check_images,
    check_model,
    check_names,
    check_run,
)
from keras_fewlabels.evaluation.corruptions.changed import (
    changed,
    load_functions,
)
from keras_fewlabels.evaluation.corruptions.predicted_classes import (
    PredictionProgress,
    predicted_classes,
)

# Name: the number of frames, and whether each is compared to the first.
_FRAMES = {
    "gaussian_noise": (31, True),
    "shot_noise": (31, True),
    "motion_blur": (21, False),
    "zoom_blur": (31, False),
    "brightness": (31, False),
    "translate": (16, False),
    "rotate": (31, False),
    "tilt": (31, False),
    "scale": (31, False),
}


def evaluate_flip_rate(
    model,
    x,
    perturbations=None,
    batch_size=128,
    value_range=None,
    seed=0,
    verbose="auto",
):
    """Measures how often predictions change where images hardly do.

    Each image becomes a short film in which it turns, brightens or moves step
    by step, too little for the eye to care. The flip rate is the share of
    frames for which the model predicts another class than for the frame
    before. It needs no labels, so your unlabelled images will do.

    | perturbation | frames | |
    |---|---|---|
    | `gaussian_noise`, `shot_noise` | 31 | new noise in each; compared to \
the first, which has none |
    | `motion_blur` | 21 | its direction turns by 9 degrees |
    | `zoom_blur` | 31 | one more zoom, by 0.4 percent |
    | `brightness` | 31 | by 0.015, from -0.225 to 0.225 |
    | `translate` | 16 | by a pixel, from -7 to 8 |
    | `rotate` | 31 | by a degree, from -15 to 15 |
    | `tilt` | 31 | by 0.75 degrees, from -11.25 to 11.25 |
    | `scale` | 31 | by 0.02, from 0.7 to 1.3 |

    Reference:
        - [Hendrycks and Dietterich, 2019](https://arxiv.org/abs/1903.12261).
          Frames are those of CIFAR-10-P for images of any size, without
          those of snow.

    Args:
        model: A `keras.Model` that returns a score per class, of shape
            `(batch, num_classes)`. It need not be compiled.
        x: Array of images of shape `(num_images, height, width, channels)`,
            32 pixels or larger, with 1 or 3 channels, of uint8 or floats, as
            the model takes them.
        perturbations: List of names out of the table. Defaults to all.
        batch_size: Integer, how many images are predicted at once.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8; floats need it.
        seed: Integer, 0 or more, which all draws follow from.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        Dict of the names to flip rates in 0 to 1, and of `"mean"` to the mean
        of these.

    Raises:
        ValueError: If an argument is not as above, before anything runs; or
            if the model returns other than finite scores.
        ImportError: If SciPy or Pillow is not installed.

    Example:

    >>> model = keras.Sequential(  # Tells bright images from dark ones.
    ...     [
    ...         keras.Input((32, 32, 1)),
    ...         keras.layers.GlobalAveragePooling2D(),
    ...         keras.layers.Lambda(
    ...             lambda x: keras.ops.concatenate([140 - x, x - 140], -1)
    ...         ),
    ...     ]
    ... )
    >>> x = np.full((10, 32, 32, 1), 120, "uint8")
    >>> rates = keras_fewlabels.evaluation.evaluate_flip_rate(
    ...     model, x, ["brightness", "rotate"], verbose=0
    ... )
    >>> rates["brightness"] == 1 / 30, rates["rotate"]  # It gets bright once.
    (True, 0.0)
    """
    names = list(_FRAMES) if perturbations is None else perturbations
    check_names(names, _FRAMES, "perturbations")
    images = as_array(x, "x")
    value_range = check_images(images, value_range)
    check_run(model, batch_size, seed)
    functions = load_functions("perturbations")
    check_model(model, images[:batch_size])
    num_batches = -(-len(images) // batch_size)
    num_frames = sum(_FRAMES[name][0] for name in names)
    progress = PredictionProgress(num_batches * num_frames, verbose)

    def flip_rate(name, num_frames, is_noise):
        change = functools.partial(
            changed,
            function=functions[name],
            value_range=value_range,
            seed=seed,
        )
        frames = predicted_classes(
            model, images, change, range(num_frames), batch_size, progress
        )
        before = frames[:1] if is_noise else frames[:-1]
        return float(np.mean(frames[1:] != before))

    rates = {name: flip_rate(name, *_FRAMES[name]) for name in names}
    return {**rates, "mean": float(np.mean(list(rates.values())))}
