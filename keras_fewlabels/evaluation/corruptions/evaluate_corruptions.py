import functools

import keras

from keras_fewlabels.data.checks.labels import check_labels, class_numbers
from keras_fewlabels.evaluation.checks import (
    as_array,
    check_images,
    check_model,
    check_names,
    check_run,
    check_severities,
)
from keras_fewlabels.evaluation.corruptions.alexnet_errors import alexnet_errors
from keras_fewlabels.evaluation.corruptions.changed import (
    changed,
    load_functions,
)
from keras_fewlabels.evaluation.corruptions.corruption_report import (
    CorruptionReport,
    baseline_errors,
)
from keras_fewlabels.evaluation.corruptions.predicted_classes import (
    PredictionProgress,
    predicted_classes,
)


def evaluate_corruptions(
    model,
    x,
    y,
    corruptions=None,
    severities=(1, 2, 3, 4, 5),
    batch_size=128,
    value_range=None,
    seed=0,
    baseline=None,
    verbose="auto",
):
    """Evaluates a classifier on images that are noisy, blurred, snowed under.

    A model that is right on clean images may err on all others. This is the
    benchmark of common corruptions, made from your own test images: 15 kinds
    in 5 severities each, of which a model must have seen none in training.

    | kind | corruptions |
    |---|---|
    | noise | `gaussian_noise`, `shot_noise`, `impulse_noise` |
    | blur | `defocus_blur`, `glass_blur`, `motion_blur`, `zoom_blur` |
    | weather | `snow`, `frost`, `fog`, `brightness` |
    | digital | `contrast`, `elastic_transform`, `pixelate`, \
`jpeg_compression` |
    | extra | `speckle_noise`, `gaussian_blur`, `spatter`, `saturate` |

    Severities are those of CIFAR-10-C for images of 32 pixels, and those of
    ImageNet-C for 224 and more; in between they grow in proportion to the
    shorter side. An image is corrupted in the same way in any batch, with any
    other corruptions, and for any model. `corrupt` shows it.

    Images are corrupted batch by batch while the model predicts, so they take
    no more memory than one batch. They have 256 levels, floats too.

    Reference:
        - [Hendrycks and Dietterich, 2019](https://arxiv.org/abs/1903.12261).
          Images differ from theirs in the random draws, in levels that are
          rounded instead of cut off, and in `frost`, whose ice is drawn
          instead of photographed. The outlines of drops in `spatter` are
          found in another way.

    Args:
        model: A `keras.Model` that returns a score per class, of shape
            `(batch, num_classes)`. It need not be compiled.
        x: Array of images of shape `(num_images, height, width, channels)`,
            32 pixels or larger, with 1 or 3 channels, of uint8 or floats, as
            the model takes them.
        y: Array of class numbers of shape `(num_images,)`, or one-hot labels
            of shape `(num_images, num_classes)`.
        corruptions: List of names out of the table. Defaults to the first 15.
        severities: Sequence of integers from 1 to 5.
        batch_size: Integer, how many images are predicted at once.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8; floats need it.
        seed: Integer, 0 or more, which all draws follow from.
        baseline: What errors are compared to: a `keras.Model`, which is
            evaluated first, the `CorruptionReport` of one, or
            `alexnet_errors()`.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `CorruptionReport`.

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
    >>> x = np.full((10, 32, 32, 1), 100, "uint8")
    >>> report = keras_fewlabels.evaluation.evaluate_corruptions(
    ...     model, x, np.zeros(10), ["shot_noise", "brightness"], verbose=0
    ... )
    >>> report.clean_error, report.mean_errors
    (0.0, {'shot_noise': 0.0, 'brightness': 0.4})
    """
    functions = load_functions("by_name")
    names = list(alexnet_errors()) if corruptions is None else corruptions
    check_names(names, functions, "corruptions")
    check_severities(severities)
    images, labels = as_array(x, "x"), as_array(y, "y")
    value_range = check_images(images, value_range)
    check_run(model, batch_size, seed)
    num_classes = check_model(model, images[:batch_size])
    check_labels(labels, "y", len(images), num_classes)
    if isinstance(baseline, keras.Model):
        baseline = evaluate_corruptions(
            baseline, images, labels, names, severities, batch_size,
            value_range, seed, verbose=verbose,
        )  # fmt: skip
    baseline = baseline_errors(baseline, names, severities)
    num_passes = 1 + len(names) * len(severities)
    progress = PredictionProgress(
        num_passes * -(-len(images) // batch_size), verbose
    )

    def errors(change, versions):
        found = predicted_classes(
            model, images, change, versions, batch_size, progress
        )
        return tuple((found != class_numbers(labels)).mean(axis=1).tolist())

    change = functools.partial(changed, value_range=value_range, seed=seed)
    (clean_error,) = errors(lambda batch, *_: batch, ["clean"])
    corrupted_errors = {
        name: errors(
            functools.partial(change, function=functions[name]), severities
        )
        for name in names
    }
    return CorruptionReport(
        clean_error, corrupted_errors, tuple(severities), baseline
    )
