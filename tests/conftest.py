import atexit
import os
import pathlib
import shutil
import tempfile
import warnings

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # Models of one kind are compiled once in a run, not once in each test.
    # The processes of pytest-xdist, and those of the tests, inherit it.
    folder = tempfile.mkdtemp(prefix="jax_compilation_cache_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

if os.environ.get("KERAS_BACKEND") != "torch":
    # Most programs run a few times, so that a quick compiler saves time.
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_optimization_level" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_optimization_level=0"

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many processes as there are cores, each with as many threads of torch,
    # take 1.6 times as long as with one thread each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import pytest

# The backends that a test with this marker is for.
BACKENDS = {
    "tensorflow": {"tensorflow"},
    "jax": {"jax"},
    "xla": {"tensorflow", "jax"},
    "not_tensorflow": {"jax", "torch"},
}


# Folders of tests that the backend makes no difference to. They run on
# TensorFlow only, because each takes minutes on every backend.
ON_ONE_BACKEND = (
    "command_line",
    "data/folders",
    "data/review",
    "evaluation/corruptions/kernels",
    "examples",
    "loops/report",
    "plots",
)


def pytest_collection_modifyitems(config, items):
    # The same suite runs on every backend. What needs one of them, such as
    # tf.data or keras.distribution, is left out on the others, and counted.
    backend = keras.backend.backend()
    others = [name for name, has in BACKENDS.items() if backend not in has]
    here = pathlib.Path(__file__).parent
    folders = [here / name for name in ON_ONE_BACKEND]
    left_out = [
        item
        for item in items
        if any(item.get_closest_marker(other) for other in others)
        or (
            backend != "tensorflow"
            and any(folder in item.path.parents for folder in folders)
        )
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def reset_keras():
    """Every test starts from the same seed, policy and layer names."""
    # Without a garbage collection, which takes seconds late in the suite.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(autouse=True, scope="session")
def no_waits_for_autotuning():
    """Deletes each iterator of tf.data at once.

    Else a test may wait for as long as an iterator of any earlier test has
    lived, up to a minute: see `without_autotuning`.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    from keras_fewlabels.data.sources.streams import without_autotuning

    iterate = tf.data.Dataset.__iter__
    tf.data.Dataset.__iter__ = lambda data: iterate(without_autotuning(data))
    yield
    tf.data.Dataset.__iter__ = iterate


def run_eagerly(is_eager):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(is_eager)


@pytest.fixture
def eager():
    """TensorFlow without graphs, whose tracing takes longer than few steps.

    It is for tests of what is computed. That `fit` in a graph and compiled by
    XLA computes the same is tested in `keras_contract/test_trainer.py`.
    """
    # Each pipeline would say that it is a graph all the same.
    warnings.filterwarnings("ignore", ".*run_functions_eagerly")
    run_eagerly(True)
    yield
    run_eagerly(False)


@pytest.fixture
def graphs(eager):
    """Graphs after all, in a file whose other tests are `eager`."""
    run_eagerly(False)


@pytest.fixture
def two_jax_devices():
    """The environment that splits a CPU into two devices, for JAX."""
    # XLA launches and runs programs on one pool of threads, by default as
    # many as there are cores. Two do not suffice: when 32 programs are under
    # way on a device, the next launch there holds a thread until one of them
    # ends, and that one waits in a collective, holding the other thread, for
    # the other device's half, which has none. Keras runs ahead that far.
    return {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "NPROC": "8",
    }
