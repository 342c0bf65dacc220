"""A self-training that is killed at given moments and started again.

Run as `python killed_fit.py SOURCE FOLDER [KILL_AT ...]`. One fit runs to its
end, and another is killed at each event KILL_AT, started again each time, and
in the end not killed. Each fit is a process of its own. FOLDER gets the files
`whole.npz` and `killed.npz` with labels, record and weights, and the backups.

Each batch of training is an event, and each write of labels is two, before and
after it.
"""

import os
import pathlib
import signal
import sys
import traceback

import keras
import numpy as np
from sklearn.datasets import load_digits

from keras_fewlabels.callbacks import PseudoLabeler
from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold

DIGITS = load_digits()
IMAGES = (DIGITS.images[..., None] / 16).astype("float32")


class Events(keras.callbacks.Callback):
    """Counts the events of a fit, and ends the process at one of them."""

    def __init__(self, kill_at):
        super().__init__()
        self.count, self.kill_at = 0, kill_at

    def on_train_batch_end(self, batch, logs=None):
        self.happen()

    def happen(self):
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, write):
        def write_between_events(*args):
            self.happen()
            write(*args)
            self.happen()

        return write_between_events


def classifier():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
    return model


def fit(source, folder, kill_at):
    """Fits, or goes on with a fit whose backup is in the folder."""
    keras.utils.set_random_seed(0)
    unlabeled = IMAGES[100:1100]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        if source == "dataset":
            unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled).batch(100)
    model = classifier()
    labeler = PseudoLabeler(
        unlabeled,
        policy=DistributionAlignment(
            FixedThreshold(0.5, soft=True), momentum=0.9
        ),
        balance="repeat",
        every=2,
        start=1,
        batch_size=4,
        cache_dir=folder / "labels",
        reinitialize=source == "array",
    )
    events = Events(kill_at)
    ArrayStore.write = events.around(ArrayStore.write)
    labels = keras.utils.to_categorical(DIGITS.target[:100], 10)
    model.fit(
        labeler.mixed_with((IMAGES[:100], labels)),
        epochs=6,
        callbacks=[
            keras.callbacks.BackupAndRestore(str(folder / "backup")),
            labeler,
            events,
        ],
        verbose=0,
    )
    np.savez(
        f"{folder}.npz",
        **labeler.to_dict(),
        rounds=str(labeler.rounds),
        chosen=labeler.chosen,
        num_events=events.count,
        **{f"weight_{i}": w for i, w in enumerate(model.get_weights())},
    )


def run(source, folder, kill_at=None):
    """Fits in a process of its own. Returns whether it came to its end."""
    # Nothing was computed before, so that a fork is like a new process, but
    # has all imports.
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            fit(source, folder, kill_at)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the fit on {folder} failed")
    return status == 0


if __name__ == "__main__":
    source, folder, *kills = sys.argv[1:]
    whole, killed = (pathlib.Path(folder, name) for name in ("whole", "killed"))
    run(source, whole)
    if not any(run(source, killed, int(kill_at)) for kill_at in kills):
        run(source, killed)
