"""A self-training in one process, or in one of two.

Run as `python label_workers_fit.py SETUP FOLDER FILE` in each of two processes.
FILE then holds what `fit_all()` returns in a process of its own.
"""

import contextlib
import os
import pathlib
import sys

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.callbacks.pseudo_labeler import label_pass
from keras_fewlabels.models import MultiWorkerModel
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold

DIGITS = load_digits()
IMAGES = (DIGITS.images[..., None] / 16).astype("float32")
LABELED = IMAGES[:100], DIGITS.target[:100]
UNLABELED = IMAGES[100:530]
# Of 64 images each. There is an odd number, so the last group has one piece.
BATCHES_PER_PIECE = 2


def scope(setup):
    if setup == "jax":
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        index = int(os.environ["PROCESS_INDEX"])
        jax.distributed.initialize(os.environ["ADDRESS"], 2, index)
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.distribute.MultiWorkerMirroredStrategy().scope()


def classifier(kind):
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(16, activation="relu")(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = kind(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.2, momentum=0.9),
        "sparse_categorical_crossentropy",
        jit_compile=False,
    )
    return model


def teacher(kind):
    """Returns a model that scikit-learn has trained on the labelled digits."""
    known = LogisticRegression(C=0.3).fit(
        LABELED[0].reshape(100, 64), LABELED[1]
    )
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = kind(inputs, outputs)
    model.set_weights([known.coef_.T, known.intercept_])
    return model


def fit_all(folder, kind=keras.Model):
    """Returns a dict of the labels and weights of fits, as arrays."""
    results = {}
    # The second fit on the array finds all labels in its cache.
    for name in ("array", "dataset", "array", "teacher"):
        keras.utils.set_random_seed(0)
        model = classifier(kind)
        source = UNLABELED
        if name == "dataset":
            import tensorflow as tf

            source = tf.data.Dataset.from_tensor_slices(UNLABELED)
        labeler = PseudoLabeler(
            source,
            teacher=teacher(kind) if name == "teacher" else None,
            policy=DistributionAlignment(FixedThreshold(0.4), momentum=0.9),
            balance="repeat",
            batch_size=32,
            cache_dir=folder / name,
        )
        dataset = labeler.mixed_with(LABELED, batch_size=50)
        model.fit(dataset, epochs=4, callbacks=[labeler], verbose=0)
        for key, value in labeler.to_dict().items():
            results[f"{name}: {key}"] = value
        for number, weight in enumerate(model.weights):
            results[f"{name}: weight {number}"] = np.array(weight)
    return results


if __name__ == "__main__":
    setup, folder, file = sys.argv[1:]
    label_pass._BATCHES_PER_PIECE = BATCHES_PER_PIECE
    with scope(setup):
        np.savez(file, **fit_all(pathlib.Path(folder), MultiWorkerModel))
