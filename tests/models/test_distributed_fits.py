"""Two replicas train as one does with the same global batch."""

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

SCRIPT = pathlib.Path(__file__).with_name("distributed_fits.py")


def start(setup, file, names=(), **environment):
    environment = {
        **os.environ,
        "KERAS_BACKEND": keras.backend.backend(),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), setup, str(file), *names],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def results(process, file):
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return dict(np.load(file))


@pytest.fixture(scope="module")
def one_replica():
    """The weights and logs of all fits in this process."""
    spec = importlib.util.spec_from_file_location("distributed_fits", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fit_all()


def check_same(results, expected):
    assert results.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(
            results[name], value, rtol=2e-4, atol=2e-5, err_msg=name
        )


@pytest.mark.tensorflow
def test_two_replicas_of_a_mirrored_strategy(one_replica, tmp_path):
    file = tmp_path / "results.npz"
    check_same(results(start("mirrored", file), file), one_replica)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


# Two replicas of one process run all fits. These have a state for each image,
# and a state of the policy and variables that start to train in the fit.
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "names",
    [
        ("FlexMatch", "FineTune"),
        pytest.param((), marks=pytest.mark.slow, id="all"),
    ],
)
def test_two_workers(one_replica, tmp_path, names):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    files = [tmp_path / f"{index}.npz" for index in range(2)]
    workers = [
        start(
            "worker",
            file,
            names,
            TF_CONFIG=json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": index}}
            ),
        )
        for index, file in enumerate(files)
    ]
    expected = {
        key: value
        for key, value in one_replica.items()
        if not names or key.partition(":")[0] in names
    }
    assert expected
    for worker, file in zip(workers, files, strict=True):
        check_same(results(worker, file), expected)


@pytest.mark.jax
def test_two_devices_of_a_data_parallel_distribution(
    one_replica, tmp_path, two_jax_devices
):
    file = tmp_path / "results.npz"
    process = start("data_parallel", file, **two_jax_devices)
    check_same(results(process, file), one_replica)
