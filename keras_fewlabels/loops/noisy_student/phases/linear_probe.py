import time

import numpy as np

from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.evaluation.features import flat_features, with_features
from keras_fewlabels.loops.noisy_student.measure import predict_outputs
from keras_fewlabels.loops.noisy_student.phases.phase_kind import PhaseKind
from keras_fewlabels.loops.noisy_student.phases.softmax_head import (
    softmax_head_predictions,
)


class LinearProbe(PhaseKind):
    """Measures a linear classifier on the features of an untrained student.

    The features are the input of the model's last `Dense` layer.
    """

    trains = False

    def cost(self, phase, settings):
        # Each labelled image passes once, which is nothing beside a training.
        return 0.0

    def measure(self, context):
        started = time.perf_counter()
        extractor = with_features(context.student)
        data, num_classes = context.data, context.recipe.task.num_classes
        images, labels = data.labeled
        labels, features = class_numbers(labels), _features(extractor, images)
        results = {}
        for split in ("validation", "test"):
            labeled = getattr(data, split)
            if labeled is None:
                results[split] = None
                continue
            (predicted,) = softmax_head_predictions(
                features,
                labels,
                np.arange(len(labels))[None],
                _features(extractor, labeled[0]),
                num_classes,
            )
            is_right = predicted == class_numbers(labeled[1])
            results[split] = {
                "accuracy": float(is_right.mean()),
                "num_images": len(is_right),
            }
        seconds = time.perf_counter() - started
        return {"seconds": seconds, **results}


def has_features(model):
    """Returns whether a model has a last `Dense` layer, to probe its input."""
    try:
        with_features(model)
    except ValueError:
        return False
    return True


def _features(extractor, images):
    features, _ = predict_outputs(extractor, images)
    return flat_features(features)
