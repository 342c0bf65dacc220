import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.evaluation import evaluate_flip_rate


class DarkOrBright(keras.Model):
    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold

    def call(self, images):
        mean = ops.mean(ops.cast(images, "float32"), axis=(1, 2, 3))
        return ops.stack(
            [self.threshold - mean, mean - self.threshold], axis=-1
        )


GREY = np.full((8, 32, 32, 3), 100, "uint8")


def test_one_flip_on_the_way_from_dark_to_bright():
    rates = evaluate_flip_rate(
        DarkOrBright(90.5), GREY, ["brightness"], verbose=0
    )
    assert rates.rates == {"brightness": 1 / 30}
    assert rates.mean == 1 / 30


def test_frames_are_compared_to_the_one_before():
    # It leaves to the left, is whole in frame 7, and leaves to the right.
    images = np.zeros((2, 32, 32, 1), "uint8")
    images[:, :, 3:29] = 200
    whole = images.mean()
    rates = evaluate_flip_rate(
        DarkOrBright(whole - 0.1), images, ["translate"], verbose=0
    )
    assert rates.rates["translate"] == pytest.approx(2 / 15)


def test_noise_is_compared_to_the_image_without():
    # The mean is at the threshold: noise makes about every other frame
    # another class than the first, as often as not from one to the next.
    rates = evaluate_flip_rate(
        DarkOrBright(100.0), GREY, ["gaussian_noise"], verbose=0
    )
    assert rates.rates["gaussian_noise"] == pytest.approx(0.5, abs=0.15)
    far = evaluate_flip_rate(
        DarkOrBright(102.0), GREY, ["gaussian_noise"], verbose=0
    )
    assert far.rates["gaussian_noise"] == 0


def test_all_perturbations_and_their_mean(photographs, capsys):
    images = photographs(32)
    model = DarkOrBright(float(np.median(images.mean(axis=(1, 2, 3)))) + 0.3)
    flips = evaluate_flip_rate(model, images)
    assert list(flips.rates) == [
        *("gaussian_noise", "shot_noise", "motion_blur", "zoom_blur"),
        *("brightness", "translate", "rotate", "tilt", "scale"),
    ]
    assert flips.mean == np.mean(list(flips.rates.values())) > 0
    assert "254/254" in capsys.readouterr().out


def test_batch_size_changes_nothing_and_seed_does(photographs):
    images = photographs(32)
    model = DarkOrBright(float(images[2].mean()))

    def rates(**kwargs):
        flips = evaluate_flip_rate(
            model, images, ["shot_noise", "tilt"], verbose=0, **kwargs
        )
        return flips.rates

    first = rates()
    assert rates(batch_size=4) == first
    assert rates(seed=1)["shot_noise"] != first["shot_noise"]
    assert rates(seed=1)["tilt"] == first["tilt"]


@pytest.mark.parametrize(
    "images, kwargs, message",
    [
        (
            GREY,
            {"perturbations": ["snow"]},
            r"`perturbations` must.*\['snow'\]",
        ),
        (GREY[:, :20], {}, r"32 pixels or larger.*\(8, 20, 32, 3\)"),
        (GREY * 99.0, {}, r"`value_range=\(black, white\)`"),
        (GREY, {"batch_size": -1}, "`batch_size` must"),
    ],
)
def test_wrong_arguments(images, kwargs, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        evaluate_flip_rate(DarkOrBright(9), images, verbose=0, **kwargs)
