"""On JAX and torch, arrays are fitted without TensorFlow.

Keras itself imports TensorFlow, where it is installed, when it serializes a
layer. This file therefore hides TensorFlow, in a process of its own.
"""

import os
import pathlib
import subprocess
import sys

import pytest


class WithoutTensorFlow:
    """A finder of modules that finds all but TensorFlow."""

    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            return None
        return self.finder.find_spec(name, path, target)


def fit_everything():
    sys.meta_path[:] = [WithoutTensorFlow(finder) for finder in sys.meta_path]
    import keras
    import numpy as np

    import keras_fewlabels as kfl

    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), "uint8")
    labeled, unlabeled = (images[:6], np.arange(6) % 3), images[6:]

    def build(wrap=lambda model: model):
        model = wrap(
            keras.Sequential(
                [
                    keras.Input((8, 8, 1)),
                    keras.layers.Flatten(),
                    keras.layers.Dense(3, activation="softmax"),
                ]
            )
        )
        loss = "sparse_categorical_crossentropy"
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    def fit_method(method, **options):
        model = build(lambda student: method(student, **options))
        data = kfl.data.mix_labeled_unlabeled(labeled, unlabeled, 4)
        model.fit(data, epochs=2, verbose=0)

    noise = kfl.layers.RandAugment()
    fit_method(kfl.models.NoisyStudentModel, teacher=build(), noise=noise)
    fit_method(kfl.models.FreeMatch)

    labeler = kfl.callbacks.PseudoLabeler(unlabeled)
    mixed = labeler.mixed_with(labeled, 4)
    backup = kfl.callbacks.ExactBackup("backup")
    build().fit(mixed, callbacks=[labeler, backup], epochs=2, verbose=0)

    steps = {"supervised_steps": 2, "student_steps": 2, "steps_per_epoch": 1}
    _, report = kfl.loops.fit_noisy_student(
        build, labeled, unlabeled, settings=steps, verbose=0
    )
    report.save("report")
    keras.saving.load_model("report/model.keras").predict(images, verbose=0)
    assert "tensorflow" not in sys.modules


@pytest.mark.not_tensorflow
def test_fits_of_arrays(tmp_path):
    subprocess.run(
        [sys.executable, __file__],
        check=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(pathlib.Path(__file__).parents[1]),
        },
    )


if __name__ == "__main__":
    fit_everything()
