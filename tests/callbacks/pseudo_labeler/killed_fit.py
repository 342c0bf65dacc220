"""A self-training that can be killed at any moment and started again.

Run as `python killed_fit.py SOURCE FOLDER FILE [KILL_AT]`. FILE gets labels,
record and weights. FOLDER holds the backups. The process kills itself at
event KILL_AT. Each batch of training is an event, and each write of labels is
two, before and after it.
"""

import os
import signal
import sys

SOURCE, FOLDER, FILE = sys.argv[1:4]
KILL_AT = int(sys.argv[4]) if len(sys.argv) > 4 else None

import keras  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

from keras_fewlabels.callbacks import PseudoLabeler  # noqa: E402
from keras_fewlabels.callbacks.backup.array_store import (  # noqa: E402
    ArrayStore,
)
from keras_fewlabels.policies import (  # noqa: E402
    DistributionAlignment,
    FixedThreshold,
)

num_events = 0


def event():
    global num_events
    num_events += 1
    if num_events == KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)


class CountBatches(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        event()


def write(self, name, made_from, arrays, write=ArrayStore.write):
    event()
    write(self, name, made_from, arrays)
    event()


keras.utils.set_random_seed(0)
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
digits = load_digits()
images = (digits.images[..., None] / 16).astype("float32")
labels = keras.utils.to_categorical(digits.target, 10)
unlabeled = images[100:1100]
if SOURCE == "dataset":
    unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled).batch(100)

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
labeler = PseudoLabeler(
    unlabeled,
    policy=DistributionAlignment(FixedThreshold(0.5, soft=True), momentum=0.9),
    balance="repeat",
    every=2,
    start=1,
    batch_size=4,
    cache_dir=os.path.join(FOLDER, "labels"),
    reinitialize=SOURCE == "array",
)
ArrayStore.write = write
model.fit(
    labeler.mixed_with((images[:100], labels[:100])),
    epochs=6,
    callbacks=[
        keras.callbacks.BackupAndRestore(os.path.join(FOLDER, "backup")),
        labeler,
        CountBatches(),
    ],
    verbose=0,
)
np.savez(
    FILE,
    **labeler.to_dict(),
    rounds=str(labeler.rounds),
    chosen=labeler.chosen,
    num_events=num_events,
    **{f"weight_{i}": w for i, w in enumerate(model.get_weights())},
)
