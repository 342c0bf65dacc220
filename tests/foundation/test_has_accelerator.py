import keras
import pytest

from keras_fewlabels.foundation import has_accelerator


def test_a_cpu_is_none(monkeypatch):
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
        assert not has_accelerator()
        monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    elif backend == "tensorflow":
        import tensorflow as tf

        kinds = ["CPU"]
        monkeypatch.setattr(
            tf.config,
            "list_logical_devices",
            lambda kind: [kind] if kind in kinds else [],
        )
        assert not has_accelerator()
        kinds.append("GPU")
    else:
        with keras.device("cpu"):
            assert not has_accelerator()
        pytest.skip("another device is not there to be found")
    assert has_accelerator()
