"""Fits of `NoisyStudentModel` on one replica or two.

Run as `python distributed_fits.py SETUP FILE [NAME ...]`; the weights and logs
of every fit, or of those named, go to FILE. Without noise they must be those
of `fit_all()` in a process of one replica.
"""

import contextlib
import sys

import keras
import numpy as np
from keras import ops

from keras_fewlabels import callbacks, models, policies
from keras_fewlabels.data import mix_labeled_unlabeled


def scope(setup):
    if setup == "data_parallel":
        devices = keras.distribution.list_devices("cpu")
        assert len(devices) == 2
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(devices=devices)
        )
        return contextlib.nullcontext()
    import tensorflow as tf

    if setup == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, parts)
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()
    return tf.distribute.MultiWorkerMirroredStrategy().scope()


RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(40, 2, 3, 1)).astype("float32")
LABELS = np.arange(12) % 3
KERNELS = RANDOM.normal(size=(2, 6, 3)).astype("float32")
NO_NOISE = {
    "noise": keras.layers.Identity(),
    "weak_noise": keras.layers.Identity(),
}


def linear(kernel):
    model = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax", use_bias=False),
        ]
    )
    model.set_weights([kernel])
    return model


def with_backbone():
    keras.utils.set_random_seed(1)
    backbone = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.Dense(4, activation="tanh"),
        ],
        name="backbone",
    )
    head = keras.layers.Dense(3, activation="softmax")
    return keras.Sequential([keras.Input((2, 3, 1)), backbone, head])


FITS = {
    "frozen teacher": lambda student: models.NoisyStudentModel(
        student, linear(KERNELS[1]), policies.FixedThreshold(0.6)
    ),
    "averaged teacher": lambda student: models.NoisyStudentModel(
        student,
        models.EMATeacher(0.6),
        policies.DistributionAlignment(policies.FixedThreshold(0.6)),
        separate_batch_norm=True,
    ),
    "FlexMatch": lambda student: models.FlexMatch(
        student,
        policy=policies.FlexMatchPolicy(0.6, num_unlabeled=28),
        **NO_NOISE,
    ),
    "FreeMatch": lambda student: models.FreeMatch(
        student,
        policy=policies.FreeMatchPolicy(0.8),
        fairness_weight=0.3,
        **NO_NOISE,
    ),
    "AdaMatch": lambda student: models.AdaMatch(
        student, policy=policies.AdaMatchPolicy(momentum=0.8), **NO_NOISE
    ),
    # Images are mixed within a replica. Here each is mixed with itself.
    "MixMatch": lambda student: models.MixMatch(
        student, mixing=keras.layers.Identity(), **NO_NOISE
    ),
    "ReMixMatch": lambda student: models.ReMixMatch(
        student, mixing=keras.layers.Identity(), num_views=2, **NO_NOISE
    ),
    "FineTune": lambda _: models.NoisyStudentModel(
        with_backbone(),
        models.EMATeacher(0.6),
        policies.DistributionAlignment(policies.FixedThreshold(0.4)),
    ),
}
CALLBACKS = {
    "FineTune": [
        callbacks.FineTune(
            "backbone", {0: 0, 1: 1, 2: "all"}, {2: 0.1}, layer_decay=0.5
        )
    ]
}


def fit(name):
    model = FITS[name](linear(KERNELS[0]))
    model.compile(
        keras.optimizers.SGD(0.3, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    data = mix_labeled_unlabeled(
        (IMAGES[:12], LABELS), IMAGES[12:], 4, 2, shuffle=False, seed=0
    )
    history = model.fit(
        data,
        epochs=3,
        validation_data=(IMAGES[:12], LABELS),
        validation_batch_size=4,
        verbose=0,
        callbacks=CALLBACKS.get(name),
    ).history
    weights = [ops.convert_to_numpy(weight) for weight in model.weights]
    return weights, history


def fit_all(names=tuple(FITS)):
    """Returns a dict of the weights and logs of fits, as arrays."""
    results = {}
    for name in names:
        weights, history = fit(name)
        for number, weight in enumerate(weights):
            results[f"{name}: weight {number}"] = weight
        for key, values in history.items():
            results[f"{name}: {key}"] = np.array(values)
    return results


if __name__ == "__main__":
    setup, file, *names = sys.argv[1:]
    with scope(setup):
        np.savez(file, **fit_all(names or FITS))
