import numbers

import numpy as np

from keras_fewlabels.data.arguments import check_int
from keras_fewlabels.data.image_pool import ImagePool
from keras_fewlabels.data.label_checks import check_labels, class_numbers
from keras_fewlabels.data.labeled_arrays import labeled_arrays
from keras_fewlabels.evaluation.checks import check_run
from keras_fewlabels.evaluation.extrapolated_gain import extrapolated_gains
from keras_fewlabels.evaluation.features import features_and_probabilities
from keras_fewlabels.evaluation.label_price import LabelPrice
from keras_fewlabels.evaluation.learning_curve import (
    NUM_FOLDS,
    cross_validated_errors,
    held_out_errors,
)
from keras_fewlabels.evaluation.nested_orders import (
    lent_sizes,
    nested_sizes,
)
from keras_fewlabels.evaluation.table import check_class_names

_NUM_DRAWS = 1000


def price_of_a_label(
    model,
    labeled,
    validation_data=None,
    extra=None,
    confidence=0.9,
    num_orders=20,
    class_names=None,
    feature_model=None,
    batch_size=256,
    seed=0,
):
    """Extrapolates what more labels would bring, or says "cannot tell".

    The features stay as they are, and a new head is fitted to a few of the
    labels, to more, and to all of them, in several random orders. A power law
    through the errors, `limit + slope * labels ** -exponent`, goes on to
    where there are more. The interval of the gain holds what is left open by
    the images it was measured on, the orders, the curve, and by the luck of
    which images will be labelled.

    Features of a network that was trained on these labels know them all, and
    to leave some out says little. So one half of `validation_data` lends its
    labels to the head, the other half is measured, then the reverse, and the
    curve goes through what these bring. Without `validation_data`, errors are
    cross-validated and the curve goes through fewer labels; `feature_model`
    must then be one that has not seen the labels, such as a pretrained
    backbone.

    It answers for a head on frozen features. A network that is trained anew
    gains more, as a rule.

    Reference:
        - [Hestness et al., 2017](https://arxiv.org/abs/1712.00409), power
          laws of errors.
        - [Mahmood et al., 2022](https://arxiv.org/abs/2207.01725), how far
          their extrapolation goes wrong.

    Args:
        model: Keras classifier, compiled or not. Of a `NoisyStudentModel` it
            is the student.
        labeled: The labelled images: a pair of arrays `(images, labels)`, or
            a dataset of such pairs.
        validation_data: Optional images with labels, as `labeled`, that the
            model was not trained on; the more, the narrower the interval.
            What you report results on is not used unless you pass it here.
        extra: Int or sequence of ints, how many labels more. By default half
            as many as there are, as many, and twice as many; beyond three
            times as many, it cannot tell.
        confidence: Float in `(0, 1)`, of the intervals.
        num_orders: Int, in how many orders labels are added.
        class_names: Optional sequence of strings, one per class.
        feature_model: Optional Keras model whose outputs are the features. By
            default they are the input of the model's last `Dense` layer.
        batch_size: Int, images that are predicted at a time.
        seed: Int, 0 or more, that fixes the orders and draws.

    Returns:
        A `LabelPrice`.

    Raises:
        ValueError: If an argument is not as above, or there is neither
            `validation_data` nor `feature_model`.

    Example:

    >>> random = np.random.default_rng(0)
    >>> labels = np.arange(160) % 2
    >>> images = random.normal(labels[:, None], 1, (160, 9))
    >>> images = images.reshape(160, 3, 3, 1)
    >>> features = keras.Sequential([keras.Input((3, 3, 1)),
    ...                              keras.layers.Flatten()])
    >>> model = keras.Sequential([features, keras.layers.Dense(2)])
    >>> price = keras_fewlabels.evaluation.price_of_a_label(
    ...     model, (images[:40], labels[:40]), (images[40:], labels[40:]), 40
    ... )
    >>> print(price.offers[0]["verdict"])
    cannot tell: the gain may be none
    """
    check_run(model, batch_size, seed)
    check_int(num_orders, "num_orders", 2)
    _check_confidence(confidence)
    _check_honest(validation_data, feature_model)
    images, labels = labeled_arrays(labeled, "labeled")
    if validation_data is not None:
        validation_data = labeled_arrays(validation_data, "validation_data")
    extra = _checked_extra(extra, len(images))

    def features_of(images, labels, argument):
        features, scores = features_and_probabilities(
            model, ImagePool(images, argument), batch_size, feature_model
        )
        num_classes = scores.shape[1]
        check_labels(labels, f"labels of {argument}", num_classes=num_classes)
        return features, class_numbers(labels), num_classes

    *known, num_classes = features_of(images, labels, "labeled")
    check_class_names(class_names, num_classes)
    random = np.random.default_rng(seed)
    held_out = None
    if validation_data is not None:
        *held_out, _ = features_of(*validation_data, "validation_data")
    sizes = _sizes(known[1], held_out, extra)
    how = sizes, num_classes, num_orders, random
    if held_out is None:
        truth, measured_on = known[1], f"{len(images)} labels, cross-validated"
        wrong = cross_validated_errors(known, *how)
    else:
        truth = held_out[1]
        measured_on = f"{len(truth)} validation images"
        wrong = held_out_errors(known, held_out, *how)

    def offers(wrong, extra):
        return extrapolated_gains(
            wrong, sizes, len(images), extra, confidence, _NUM_DRAWS, random
        )

    curve, all_offers = offers(wrong, extra)
    class_offers = []
    for number in np.unique(truth):
        _, (offer,) = offers(wrong[:, :, truth == number], extra[-1:])
        class_offers.append({"class": int(number), **offer})
    return LabelPrice(
        len(images),
        sizes,
        wrong.mean(axis=(0, 2)).tolist(),
        curve,
        all_offers,
        class_offers,
        confidence,
        measured_on,
        class_names,
    )


def _sizes(labels, held_out, extra):
    """How many labels the heads are fitted to."""
    num_labels, present = len(labels), len(np.unique(labels))
    if held_out is None:
        # What is left of the labels while a fold is held out.
        num_fitted = num_labels - -(-num_labels // NUM_FOLDS)
        return nested_sizes(num_fitted, present, extra)
    num_lent = len(held_out[1]) // 2
    return nested_sizes(num_labels, present) + lent_sizes(num_labels, num_lent)


def _check_honest(validation_data, feature_model):
    if validation_data is None and feature_model is None:
        raise ValueError(
            "Features that were trained on the labels make each of them look "
            "known. Pass `validation_data`, images that the model has not "
            "been trained on, or a `feature_model` that has not seen the "
            "labels. Received: neither"
        )


def _check_confidence(confidence):
    if not isinstance(confidence, numbers.Real) or not 0 < confidence < 1:
        raise ValueError(
            "`confidence` must be a float above 0 and below 1. "
            f"Received: confidence={confidence!r}"
        )


def _checked_extra(extra, num_labels):
    if extra is None:
        return [max(1, num_labels // 2), num_labels, 2 * num_labels]
    extra = [extra] if isinstance(extra, numbers.Number) else extra
    if not isinstance(extra, (list, tuple, range, np.ndarray)) or not len(
        extra
    ):
        raise ValueError(
            "`extra` must be a number of labels, or a list of such. "
            f"Received: extra={extra!r}"
        )
    for more in extra:
        check_int(more, "extra")
    return sorted(map(int, extra))
