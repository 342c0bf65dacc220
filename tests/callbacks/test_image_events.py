import sys

import numpy as np
import pytest

from keras_fewlabels.callbacks.image_events import ImageEvents


def test_images_come_back(tmp_path):
    from PIL import Image
    from tensorboard.backend.event_processing import event_accumulator

    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3), "uint8")
    events = ImageEvents(tmp_path)
    events.write("a/tag", Image.fromarray(pixels), 7)
    events.flush()
    read = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
    (event,) = read.Images("a/tag")
    assert (event.step, event.width, event.height) == (7, 5, 3)
    (tmp_path / "image.png").write_bytes(event.encoded_image_string)
    found = np.asarray(Image.open(tmp_path / "image.png"))
    np.testing.assert_array_equal(found, pixels)
    events.close()


def test_without_tensorboard_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer", None)
    with pytest.raises(ImportError, match=r"keras-fewlabels\[tensorboard\]"):
        ImageEvents(tmp_path)
