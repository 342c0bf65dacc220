"""What a pretrained network knows without being trained further."""

import time

import numpy as np

from keras_fewlabels.data.checks.labels import class_numbers
from keras_fewlabels.evaluation.features import flat_features, with_features
from keras_fewlabels.evaluation.softmax_head import softmax_head_predictions
from keras_fewlabels.loops.noisy_student.score import predict_outputs


def linear_probe(model, data, num_classes):
    """Fits a linear classifier to the features of the labelled images.

    Args:
        model: Keras classifier before it is trained; its features are the
            input of its last `Dense` layer.
        data: `PhaseData`.
        num_classes: Int.

    Returns:
        Dict, what the report says of it; or `None` for a model that has no
        such features.
    """
    started = time.perf_counter()
    try:
        extractor = with_features(model)
    except ValueError:
        return None
    images, labels = data.labeled
    labels = class_numbers(labels)
    features = _features(extractor, images)

    def measured(labeled):
        if labeled is None:
            return None
        images, truth = labeled
        (predicted,) = softmax_head_predictions(
            features,
            labels,
            np.arange(len(labels))[None],
            _features(extractor, images),
            num_classes,
        )
        right = predicted == class_numbers(truth)
        return {"accuracy": float(right.mean()), "num_images": len(truth)}

    results = {
        split: measured(getattr(data, split))
        for split in ("validation", "test")
    }
    seconds = time.perf_counter() - started
    return {"name": "linear probe", "seconds": seconds, **results}


def _features(extractor, images):
    features, _ = predict_outputs(extractor, images)
    return flat_features(features)
