import functools

import keras

from keras_fewlabels.data.checks import as_array, check_labels
from keras_fewlabels.evaluation.checks import (
    check_model,
    check_run,
    checked_images,
)
from keras_fewlabels.evaluation.corruptions.change_batch import change_batch
from keras_fewlabels.evaluation.corruptions.corruption_report import (
    ALEXNET_ERRORS,
    CorruptionReport,
    baseline_errors,
)
from keras_fewlabels.evaluation.corruptions.predict_classes import (
    predict_classes,
)
from keras_fewlabels.evaluation.prediction_progress import PredictionProgress
from keras_fewlabels.foundation import (
    check_list,
    check_verbose,
    choice_rule,
    int_rule,
)


def evaluate_corruptions(
    model,
    x,
    y,
    corruptions=None,
    severities=(1, 2, 3, 4, 5),
    *,
    batch_size=128,
    value_range=None,
    seed=0,
    baseline=None,
    verbose="auto",
):
    """Evaluates a classifier on corrupted images.

    A model that is right on clean images may be wrong on noisy or blurred
    ones. This is the benchmark of common corruptions for your own test images,
    with 15 corruptions in 5 severities each. A model must not have seen any of
    them in training.

    | kind | corruptions |
    |---|---|
    | noise | `gaussian_noise`, `shot_noise`, `impulse_noise` |
    | blur | `defocus_blur`, `glass_blur`, `motion_blur`, `zoom_blur` |
    | weather | `snow`, `frost`, `fog`, `brightness` |
    | digital | `contrast`, `elastic_transform`, `pixelate`, \
`jpeg_compression` |
    | extra | `speckle_noise`, `gaussian_blur`, `spatter`, `saturate` |

    Severities are those of CIFAR-10-C for images of 32 pixels, those of
    ImageNet-64x64-C for 64 pixels, and those of ImageNet-C for 224 pixels and
    more. In between they are interpolated by the shorter side. An image is
    corrupted in the same way in any batch, beside any other corruptions, and
    for any model. `corrupt` returns it.

    Images are corrupted while the model predicts others, so only two
    corrupted batches are held in memory. Corrupted images have 256 levels,
    also if they are floats.

    Reference:
        - [Hendrycks and Dietterich, 2019](https://arxiv.org/abs/1903.12261).
          The images differ from theirs in the random draws, in levels that
          are rounded instead of cut off, in `frost`, whose ice is drawn
          instead of photographed, and in the outlines of drops in `spatter`.

    Args:
        model: A `keras.Model` that returns a score per class, of shape
            `(batch, num_classes)`, or one for two classes. It need not be
            compiled, unless its scores are logits of labels of which several
            may be true. The error is then the share of wrong decisions.
        x: Array of images of shape `(num_images, height, width, channels)`,
            32 pixels or larger, with 1 or 3 channels, of uint8 or floats, as
            the model takes them; also memory-mapped, or `ImageFiles`, which
            are read batch by batch.
        y: Array of class numbers of shape `(num_images,)`, or one-hot labels
            of shape `(num_images, num_classes)`, or rows of several ones.
        corruptions: List of names out of the table. Defaults to the first 15.
        severities: Sequence of integers from 1 to 5.
        batch_size: Integer, the number of images that are predicted at once.
        value_range: Pair of floats, the values of black and white. Defaults
            to `(0, 255)` for uint8, and for floats to the narrowest of
            `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all values.
        seed: Integer, 0 or more, which determines all random draws.
        baseline: Optional model that the errors are compared to: a
            `keras.Model`, which is evaluated first; the `CorruptionReport` of
            one; or `"alexnet"`, whose published errors on ImageNet-C make the
            comparison the mCE of that benchmark.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `CorruptionReport` with `clean_error`, `errors`, `mean_errors`,
        `mean_corruption_error` and `baseline_ratio`. It can be printed, drawn
        by `figure()`, and written by `save(folder)`.

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
    >>> x = np.full((10, 32, 32, 1), 100, "uint8")
    >>> report = keras_fewlabels.evaluation.evaluate_corruptions(
    ...     model, x, np.zeros(10), ["shot_noise", "brightness"], verbose=0
    ... )
    >>> report.clean_error, report.mean_errors
    (0.0, {'shot_noise': 0.0, 'brightness': 0.4})
    """
    from keras_fewlabels.evaluation.corruptions.kernels.by_name import (
        CORRUPTIONS,
    )

    names = list(ALEXNET_ERRORS) if corruptions is None else corruptions
    check_list(names, "corruptions", choice_rule(*CORRUPTIONS))
    check_list(severities, "severities", int_rule(1, 5))
    check_verbose(verbose)
    images, value_range = checked_images(x, value_range)
    labels = as_array(y, "y")
    check_run(model, batch_size, seed)
    scores, num_classes = check_model(model, images[:batch_size])
    check_labels(labels, "y", len(images), num_classes, scores.one_true)
    truth = scores.as_decisions(labels)
    if isinstance(baseline, keras.Model):
        baseline = evaluate_corruptions(
            *(baseline, images, labels, names, severities),
            batch_size=batch_size,
            value_range=value_range,
            seed=seed,
            verbose=verbose,
        )
    baseline = baseline_errors(baseline, names, severities)
    num_passes = 1 + len(names) * len(severities)
    progress = PredictionProgress(
        num_passes * -(-len(images) // batch_size), verbose
    )

    def errors(change, versions):
        predicted = predict_classes(
            model, images, change, versions, batch_size, scores, progress
        )
        wrong = (predicted != truth).reshape(len(versions), -1)
        return tuple(wrong.mean(axis=1).tolist())

    change = functools.partial(change_batch, value_range=value_range, seed=seed)
    (clean_error,) = errors(lambda batch, *_: batch, ["clean"])
    corrupted_errors = {
        name: errors(
            functools.partial(change, function=CORRUPTIONS[name]), severities
        )
        for name in names
    }
    return CorruptionReport(
        clean_error, corrupted_errors, tuple(severities), baseline
    )
