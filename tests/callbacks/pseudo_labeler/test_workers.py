import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler import label_pass
from keras_fewlabels.callbacks.pseudo_labeler.workers import (
    OnlyWorker,
    labeling_worker,
)

SCRIPT = pathlib.Path(__file__).with_name("label_workers_fit.py")
IMAGES = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")


@pytest.fixture
def expected(tmp_path, monkeypatch):
    """The labels and weights of the fits of one worker, in this process."""
    spec = importlib.util.spec_from_file_location("label_workers_fit", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(
        label_pass, "_BATCHES_PER_PIECE", module.BATCHES_PER_PIECE
    )
    return module.fit_all(tmp_path / "one")


def start(setup, folder, index=0, **environment):
    folder = folder / f"{setup}_{index}"
    folder.mkdir()
    process = subprocess.Popen(
        [
            sys.executable,
            str(SCRIPT),
            setup,
            str(folder),
            str(folder / "r.npz"),
        ],
        env={
            **os.environ,
            "KERAS_BACKEND": keras.backend.backend(),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, folder / "r.npz"


def results(process, file):
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return dict(np.load(file))


def free_addresses(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return [f"127.0.0.1:{port}" for port in ports]


def check_same(ours, theirs, prefix=""):
    assert ours.keys() == theirs.keys()
    for name in (name for name in theirs if name.startswith(prefix)):
        one, other = ours[name], theirs[name]
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, 1e-3, 1e-4, err_msg=name)
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)
    for fit in ("array", "dataset", "teacher"):
        assert 0.1 < (ours[f"{fit}: label"] >= 0).mean() < 1


@pytest.mark.tensorflow
def test_two_workers_give_the_labels_of_one(expected, tmp_path):
    cluster = {"worker": free_addresses(2)}
    workers = [
        start(
            "worker",
            tmp_path,
            index,
            TF_CONFIG=json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    for worker in workers:
        check_same(results(*worker), expected)


@pytest.mark.jax
def test_two_jax_processes_give_the_labels_of_one(expected, tmp_path):
    (address,) = free_addresses(1)
    workers = [
        start("jax", tmp_path, index, ADDRESS=address, PROCESS_INDEX=str(index))
        for index in range(2)
    ]
    first, second = (results(*worker) for worker in workers)
    check_same(first, second)
    # With several processes Keras makes other batches of the same epoch, so
    # only the labels of a teacher are the same.
    check_same(first, expected, "teacher: label")
    check_same(first, expected, "teacher: confidence")


def test_the_only_worker_predicts_all_by_itself():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(loss="mse")
    worker = labeling_worker(model)
    assert type(worker) is OnlyWorker
    assert (worker.index, worker.count) == (0, 1)
    outputs = worker.predict(IMAGES, 4)
    np.testing.assert_allclose(
        outputs, model.predict(IMAGES, verbose=0), rtol=1e-5
    )
    assert worker.gather(outputs) is outputs
