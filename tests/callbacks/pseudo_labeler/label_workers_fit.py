"""A self-training in one process, or in one of two.

Run as `python label_workers_fit.py SETUP FOLDER FILE`.
"""

import os
import sys

SETUP, FOLDER, FILE = sys.argv[1:]

import contextlib  # noqa: E402

import keras  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from keras_fewlabels.callbacks import PseudoLabeler  # noqa: E402
from keras_fewlabels.callbacks.pseudo_labeler import label_pass  # noqa: E402
from keras_fewlabels.models import MultiWorkerModel  # noqa: E402
from keras_fewlabels.policies import (  # noqa: E402
    DistributionAlignment,
    FixedThreshold,
)


def scope():
    if SETUP == "one":
        return contextlib.nullcontext()
    if SETUP == "jax":
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        index = int(os.environ["PROCESS_INDEX"])
        jax.distributed.initialize(os.environ["ADDRESS"], 2, index)
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.distribute.MultiWorkerMirroredStrategy().scope()


def classifier():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(16, activation="relu")(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = MultiWorkerModel(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.2, momentum=0.9),
        "sparse_categorical_crossentropy",
        jit_compile=False,
    )
    return model


def teacher():
    """Returns a model that scikit-learn has trained on the labelled digits."""
    known = LogisticRegression(C=0.3).fit(
        images[:100].reshape(100, 64), digits.target[:100]
    )
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = MultiWorkerModel(inputs, outputs)
    model.set_weights([known.coef_.T, known.intercept_])
    return model


# An odd number of pieces of 64 images, so the last group has one piece.
label_pass._BATCHES_PER_PIECE = 2
digits = load_digits()
images = (digits.images[..., None] / 16).astype("float32")
unlabeled = images[100:530]
results = {}
with scope():
    # The second fit on the array finds all labels in its cache.
    for name in ("array", "dataset", "array", "teacher"):
        keras.utils.set_random_seed(0)
        model = classifier()
        source = unlabeled
        if name == "dataset":
            import tensorflow as tf

            source = tf.data.Dataset.from_tensor_slices(unlabeled)
        labeler = PseudoLabeler(
            source,
            teacher=teacher() if name == "teacher" else None,
            policy=DistributionAlignment(FixedThreshold(0.4), momentum=0.9),
            balance="repeat",
            batch_size=32,
            cache_dir=os.path.join(FOLDER, name),
        )
        dataset = labeler.mixed_with(
            (images[:100], digits.target[:100]), batch_size=50
        )
        model.fit(dataset, epochs=4, callbacks=[labeler], verbose=0)
        for key, value in labeler.to_dict().items():
            results[f"{name}: {key}"] = value
        for number, weight in enumerate(model.weights):
            results[f"{name}: weight {number}"] = np.array(weight)
np.savez(FILE, **results)
