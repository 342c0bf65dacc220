"""Fits that are killed at random moments and started again.

Run as `python killed_fits.py KIND [NUM_KILLS [SEED]]`. One fit of the kind
runs to its end. Then other fits are killed with SIGKILL, while they train and
while they write their backup, and started again until they end. The last line
of the output is a JSON object: the number of kills, the number of kills while
a backup was written, and the number of arrays that differ at the end. All
arrays are compared that the fit changes: weights, teacher, policy, optimizer
and labels.
"""

import json
import os
import pathlib
import signal
import sys
import tempfile
import time

import keras
import numpy as np

# Imported here, or each of the forked processes would import it.
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.backup.epoch_backup import EpochBackup
from keras_fewlabels.layers.mix_up import MixUp

DIGITS = load_digits()
IMAGES = (DIGITS.images[..., None] / 16).astype("float32")
LABELED = IMAGES[:40], DIGITS.target[:40]
UNLABELED = IMAGES[40:160]
STEP, WRITING = b"s", b"w"
NUM_EPOCHS = 5


# The kinds of fits. Each function gets the folder for its backup.


def classifier(front=()):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *front,
            layers.Conv2D(4, 3, strides=2),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )


def noise():
    # A layer that draws, and that is traced quickly.
    return layers.GaussianNoise(0.1)


def compiled(model):
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy"
    )
    return model


def callbacks(folder, *others):
    return [*others, Notify(), kfl.callbacks.ExactBackup(folder)]


def state(model, *others):
    parts = (*model.weights, *model.optimizer.variables, *others)
    return [np.array(keras.ops.convert_to_numpy(part)) for part in parts]


def plain(folder):
    inputs = keras.Input((8, 8, 1))
    x = kfl.layers.RandAugment(
        1, 3, value_range=(0, 1), ops=("translate_x", "brightness")
    )(inputs)
    x = layers.Conv2D(4, 3, strides=2, activation="relu")(x)
    branch = layers.Conv2D(4, 3, padding="same")(x)
    x = kfl.layers.StochasticDepth(0.25)([x, branch])
    x = layers.Dropout(0.2)(layers.Flatten()(layers.BatchNormalization()(x)))
    outputs = layers.Dense(10, activation="softmax")(x)
    model = compiled(keras.Model(inputs, outputs))
    model.fit(
        *LABELED,
        batch_size=8,
        epochs=NUM_EPOCHS,
        callbacks=callbacks(folder),
        verbose=0,
    )
    return state(model)


def noisy_student(folder, teacher=None, policy=None, stream=False, **arguments):
    if policy is None:
        policy = kfl.policies.FixedThreshold(0.1)
    model = kfl.models.NoisyStudentModel(
        classifier(), teacher, policy, noise(), noise(), **arguments
    )
    unlabeled = UNLABELED
    if stream:
        unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled)
    mixed = kfl.data.mix_labeled_unlabeled(
        LABELED, unlabeled, batch_size=8, unlabeled_ratio=2
    )
    compiled(model).fit(
        mixed, epochs=NUM_EPOCHS, callbacks=callbacks(folder), verbose=0
    )
    return state(model)


def pseudo_labeler(folder):
    labeler = kfl.callbacks.PseudoLabeler(
        UNLABELED,
        policy=kfl.policies.FixedThreshold(0.2),
        every=2,
        start=1,
        balance="repeat",
        cache_dir=folder / "labels",
    )
    model = compiled(classifier([noise()]))
    model.fit(
        labeler.mixed_with(LABELED, batch_size=16),
        epochs=NUM_EPOCHS,
        callbacks=callbacks(folder / "backup", labeler),
        verbose=0,
    )
    return state(model, labeler.labels, labeler.first_kept, labeler.num_changes)


def fine_tune(folder):
    backbone = keras.Sequential(
        classifier([noise()]).layers[:-1], name="backbone"
    )
    head = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 1)), backbone, head])
    stages = kfl.callbacks.FineTune(
        backbone,
        {0: 0, 1: 3, 3: "all"},
        learning_rates={
            1: keras.optimizers.schedules.CosineDecay(0.01, 15),
            4: 0.001,
        },
        freeze_batch_norm=False,
        layer_decay=0.5,
    )
    compiled(model).fit(
        *LABELED,
        batch_size=8,
        epochs=NUM_EPOCHS,
        callbacks=callbacks(folder, stages),
        verbose=0,
    )
    return state(model)


def fit_loop(folder, stream=False):
    unlabeled = UNLABELED
    if stream:
        unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled)
    model, report = kfl.loops.fit_noisy_student(
        classifier,
        LABELED,
        unlabeled,
        settings={
            "supervised_steps": 9,
            "student_steps": 9,
            "steps_per_epoch": 3,
            "batch_size": 8,
            "unlabeled_ratio": 2,
        },
        noise=noise(),
        generations=2,
        backup_dir=folder,
        callbacks=[Notify()],
        verbose=0,
    )
    phases = report.to_dict()["phases"]
    losses = [phase["history"]["loss"] for phase in phases]
    return [*model.get_weights(), *map(np.array, losses)]


def frozen_teacher():
    # Its weights differ from those of the student.
    return compiled(classifier())


POLICIES = {
    "AdaMatch": lambda p: p.AdaMatchPolicy(0.5, momentum=0.9),
    "Debiased": lambda p: p.DebiasedPolicy(p.FixedThreshold(0.1), momentum=0.9),
    "DistributionAlignment": lambda p: p.DistributionAlignment(
        p.FixedThreshold(0.1, soft=True), momentum=0.9
    ),
    "FlexMatch": lambda p: p.FlexMatchPolicy(0.2, num_unlabeled=len(UNLABELED)),
    "FreeMatch": lambda p: p.FreeMatchPolicy(momentum=0.9),
    "SoftMatch": lambda p: p.SoftMatchPolicy(momentum=0.9),
}
KINDS = {
    "plain": plain,
    "FineTune": fine_tune,
    "PseudoLabeler": pseudo_labeler,
    "fit_noisy_student": fit_loop,
    "fit_noisy_student, dataset": lambda f: fit_loop(f, stream=True),
    "EMATeacher": lambda f: noisy_student(f, kfl.models.EMATeacher(0.9)),
    "frozen teacher": lambda f: noisy_student(f, frozen_teacher()),
    "self-teacher": noisy_student,
    "balanced head": lambda f: noisy_student(f, balanced_head=True),
    "mixed images": lambda f: noisy_student(f, mixing=MixUp(), num_views=2),
    "mixed dataset": lambda f: noisy_student(f, stream=True),
    **{
        name: lambda f, build=build: noisy_student(
            f, kfl.models.EMATeacher(0.9), build(kfl.policies)
        )
        for name, build in POLICIES.items()
    },
}


# The kills.


class Notify(keras.callbacks.Callback):
    """Notifies the parent process of every step."""

    pipe = None

    def on_train_batch_end(self, batch, logs=None):
        os.write(Notify.pipe, STEP)


def notifying(write):
    def write_and_notify(self, model, epoch, facts):
        os.write(Notify.pipe, WRITING)
        write(self, model, epoch, facts)
        os.write(Notify.pipe, WRITING)

    return write_and_notify


def run(kind, folder, file, kill_at=None, delay=0.0):
    """Runs a fit in a process of its own.

    Args:
        kind: String out of `KINDS`.
        folder: Path of its backup.
        file: Path of the file for its arrays at the end.
        kill_at: Optional pair `(event, number)`. The process is killed after
            that number of events of that kind.
        delay: Float, seconds between that event and the kill.

    Returns:
        Bytes, the events of the process, empty if it had nothing left to do;
        `None` if it was killed.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        Notify.pipe = write_end
        _run_and_exit(kind, folder, file)
    os.close(write_end)
    events = b""
    while event := os.read(read_end, 1):
        events += event
        if kill_at is not None and events.count(kill_at[0]) == kill_at[1]:
            time.sleep(delay)
            os.kill(pid, signal.SIGKILL)
            break
    os.close(read_end)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{kind} failed")
    return events if status == 0 else None


def _run_and_exit(kind, folder, file):
    status = 1
    try:
        # A process that is started again begins with the same seed.
        keras.utils.set_random_seed(0)
        if keras.backend.backend() == "tensorflow":
            tf.config.experimental.enable_op_determinism()
        EpochBackup.write = notifying(EpochBackup.write)
        np.savez(file, *KINDS[kind](folder))
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def kill_again_and_again(kind, num_kills, random):
    """Kills fits until there are enough kills, and returns the counts."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        whole = folder / "whole.npz"
        events = run(kind, folder / "whole", whole)
        counts = {event: events.count(event) for event in (STEP, WRITING)}
        kills, ends, different = {STEP: 0, WRITING: 0}, 0, 0
        while sum(kills.values()) < num_kills:
            backup, file = folder / str(ends), folder / f"{ends}.npz"
            while True:
                kill_at = None
                if sum(kills.values()) < num_kills:
                    event = STEP if random.random() < 0.6 else WRITING
                    # In the first two thirds, so that some runs end.
                    last = max(2, counts[event] * 2 // 3)
                    kill_at = event, int(random.integers(1, last))
                delay = random.random() * 0.02
                if run(kind, backup, file, kill_at, delay) is not None:
                    break
                kills[kill_at[0]] += 1
            ends += 1
            different += num_different(whole, file)
    return {
        "kind": kind,
        "kills": sum(kills.values()),
        "while_writing": kills[WRITING],
        "ends": ends,
        "different": different,
    }


def num_different(file, other):
    """Returns the number of arrays of two files that differ in a bit."""
    with np.load(file) as ours, np.load(other) as theirs:
        if ours.files != theirs.files:
            return max(len(ours.files), len(theirs.files))
        return sum(
            ours[name].tobytes() != theirs[name].tobytes()
            for name in ours.files
        )


if __name__ == "__main__":
    kind, num_kills, seed = [*sys.argv[1:], "10", "0"][:3]
    random = np.random.default_rng(int(seed))
    start = time.time()
    result = kill_again_and_again(kind, int(num_kills), random)
    result["seconds"] = round(time.time() - start)
    print(json.dumps(result))
