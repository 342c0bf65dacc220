import importlib.metadata
import platform

import keras
import numpy as np


def run_facts(task, data, settings, class_names):
    """Returns the data, settings and versions of a run, for the report.

    Args:
        task: `Task`.
        data: `PhaseData`.
        settings: `Settings`.
        class_names: Sequence of strings, or `None`.

    Returns:
        Dict for JSON.
    """
    images = task.labeled[0]
    names = None if class_names is None else [str(name) for name in class_names]
    return {
        "seed": data.seed,
        "settings": settings.to_dict(),
        "why": settings.why,
        "data": {
            "image_shape": list(images.shape[1:]),
            "dtype": str(images.dtype),
            "value_range": list(task.value_range),
            "from_logits": task.scores.from_logits,
            "activation": task.scores.activation,
            "num_classes": task.num_classes,
            "class_names": names,
            "several_labels": not task.scores.one_true,
            "class_counts": task.count_classes(data.labeled[1]).tolist(),
            "num_labeled": len(data.labeled[0]),
            "num_validation": len(data.validation[0]) if data.validation else 0,
            "num_unlabeled": len(task.unlabeled),
            "num_test": len(data.test[0]) if data.test else None,
        },
        "versions": {
            "keras_fewlabels": importlib.metadata.version("keras-fewlabels"),
            "keras": keras.version(),
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
