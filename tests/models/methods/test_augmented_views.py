import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models.methods.augmented_views import (
    strong_view,
    weak_view,
)

# Smooth, and the same from both sides, so that flips change nothing.
WAVE = 0.5 + 0.4 * np.cos(np.linspace(-6, 6, 32))
IMAGES = np.tile(WAVE[None, None, :, None], (60, 32, 1, 3)).astype("float32")


def changes(view, images=IMAGES):
    views = ops.convert_to_numpy(view((0, 1))(images, training=True))
    assert views.shape == images.shape
    assert views.min() >= 0 and views.max() <= 1
    return np.abs(views - images).mean(axis=(1, 2, 3)), views


@pytest.mark.parametrize("view", [weak_view, strong_view])
def test_images_draw_for_themselves(view):
    noise = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
    changed, _ = changes(view, noise.repeat(60, axis=0))
    assert len(np.unique(changed.round(5))) > 20


def test_strong_view_changes_what_flips_and_shifts_do_not():
    flat = np.full((60, 32, 32, 3), 0.8, "float32")
    (weak, _), (strong, _) = (
        changes(v, flat) for v in (weak_view, strong_view)
    )
    # Grey that comes in at the border is all that a weak view changes.
    assert strong.mean() > 1.5 * weak.mean()


def test_strong_view_has_holes_of_all_sizes():
    hole = strong_view((0, 1)).layers[-1]
    views = ops.convert_to_numpy(hole(np.zeros((400, 32, 32, 1), "float32")))
    areas = (views > 0).mean(axis=(1, 2, 3))
    # Less than half of either side.
    assert 0.18 < areas.max() <= 0.25
    assert (areas < 0.02).mean() == pytest.approx(0.3, abs=0.1)


def test_weak_view_flips_half_of_the_images():
    ramp = np.linspace(0.2, 0.8, 32, dtype="float32")
    images = np.tile(ramp[None, None, :, None], (400, 32, 1, 1))
    views = ops.convert_to_numpy(weak_view((0, 1))(images, training=True))
    middle = views[:, 16, 8:24, 0]
    assert (middle[:, 0] > middle[:, -1]).mean() == pytest.approx(0.5, abs=0.1)


def test_weak_view_shifts_by_whole_pixels():
    images = np.random.default_rng(0).integers(1, 255, (9, 32, 32, 1), "uint8")
    views = ops.convert_to_numpy(weak_view((0, 255))(images, training=True))
    for image, view in zip(images, views, strict=True):
        assert any(
            np.array_equal(view[12:20, 12:20], side[y : y + 8, x : x + 8])
            for side in (image, image[:, ::-1])
            for y in range(25)
            for x in range(25)
        )


@pytest.mark.jax
@pytest.mark.parametrize("view", [weak_view, strong_view])
def test_a_compiled_step_on_bytes_does_not_call_the_host(view):
    import jax

    def program(dtype):
        images = jax.ShapeDtypeStruct((2, 8, 8, 3), dtype)
        layer = view((0, 255))
        layer.build(images.shape)

        def call(variables, images):
            return layer.stateless_call((), variables, images, training=True)

        variables = [v.value for v in layer.non_trainable_variables]
        return str(jax.make_jaxpr(call)(variables, images))

    assert "callback" not in program("uint8")
    # Floats may have another range, which the first step has to see.
    assert "callback" in program("float32")
