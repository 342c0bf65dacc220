import functools

import numpy as np

from keras_fewlabels.evaluation.checks import (
    check_model,
    check_run,
    checked_images,
)
from keras_fewlabels.evaluation.corruptions.change_batch import change_batch
from keras_fewlabels.evaluation.corruptions.flip_rates import FlipRates
from keras_fewlabels.evaluation.corruptions.predict_classes import (
    predict_classes,
)
from keras_fewlabels.evaluation.prediction_progress import PredictionProgress
from keras_fewlabels.foundation import check_list, check_verbose, choice_rule

# Names to the number of frames, and whether each is compared to the first.
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
    *,
    batch_size=128,
    value_range=None,
    seed=0,
    verbose="auto",
):
    """Measures how often predictions change when images hardly change.

    Each image becomes a sequence of frames in which it turns, brightens or
    moves in small steps. The flip rate is the share of frames for which the
    model predicts another class than for the frame before. It needs no
    labels, so it can be measured on unlabelled images.

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
            `(batch, num_classes)`, or one for two classes. It need not be
            compiled, unless its scores are logits of labels of which several
            may be true. The rate is then the share of decisions that flip.
        x: Array of images of shape `(num_images, height, width, channels)`,
            32 pixels or larger, with 1 or 3 channels, of uint8 or floats, as
            the model takes them; also memory-mapped, or `ImageFiles`, which
            are read batch by batch.
        perturbations: List of names out of the table. Defaults to all.
        batch_size: Integer, the number of images that are predicted at once.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8, and for floats to the narrowest of
            `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all values.
        seed: Integer, 0 or more, which determines all random draws.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `FlipRates` with `rates`, a dict of the names to flip rates in 0 to
        1, and their `mean`. It can be printed, drawn by `figure()`, and
        written by `save(folder)`.

    Raises:
        ValueError: If an argument has another form than above, or the model
            returns other than finite scores.
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
    >>> flips = keras_fewlabels.evaluation.evaluate_flip_rate(
    ...     model, x, ["brightness", "rotate"], verbose=0
    ... )
    >>> print(flips)  # On the way to bright, the class flips once in 30.
    perturbation  flips in %
      brightness         3.3
          rotate         0.0
            mean         1.7
    """
    names = list(_FRAMES) if perturbations is None else perturbations
    check_list(names, "perturbations", choice_rule(*_FRAMES))
    check_verbose(verbose)
    images, value_range = checked_images(x, value_range)
    check_run(model, batch_size, seed)
    from keras_fewlabels.evaluation.corruptions.kernels.perturbations import (
        PERTURBATIONS,
    )

    scores, _ = check_model(model, images[:batch_size])
    num_batches = -(-len(images) // batch_size)
    num_frames = sum(_FRAMES[name][0] for name in names)
    progress = PredictionProgress(num_batches * num_frames, verbose)

    def flip_rate(name, num_frames, is_noise):
        change = functools.partial(
            change_batch,
            function=PERTURBATIONS[name],
            value_range=value_range,
            seed=seed,
        )
        frames = predict_classes(
            *(model, images, change, range(num_frames), batch_size),
            *(scores, progress),
        )
        before = frames[:1] if is_noise else frames[:-1]
        return float(np.mean(frames[1:] != before))

    return FlipRates({name: flip_rate(name, *_FRAMES[name]) for name in names})
