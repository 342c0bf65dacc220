"""A fit that shares its folders with another process.

Run as `python two_fits.py FOLDER FILE FIRST`, with the number of the first
image. FILE gets the weights at the end.
"""

import pathlib
import sys

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_fewlabels as kfl

FOLDER, FILE, FIRST = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

keras.utils.set_random_seed(0)
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
digits = load_digits()
images = (digits.images[FIRST:, :, :, None] / 16).astype("float32")
labels = digits.target[FIRST:]
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
labeler = kfl.callbacks.PseudoLabeler(
    images[40:160],
    policy=kfl.policies.FixedThreshold(0.2),
    balance="repeat",
    cache_dir=FOLDER / "labels",
)
model.fit(
    labeler.mixed_with((images[:40], labels[:40]), batch_size=16),
    epochs=40,
    callbacks=[
        labeler,
        kfl.callbacks.ExactBackup(FOLDER / "fit", delete_checkpoint=False),
    ],
    verbose=0,
)
np.savez(FILE, *model.get_weights(), labels=labeler.labels)
