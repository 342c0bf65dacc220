import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.evaluation import what_changed
from keras_fewlabels.evaluation.verdicts import Verdict

RNG = np.random.default_rng(0)
IMAGES = RNG.random((40, 2, 2, 1)).astype("float32")
BEFORE, AFTER = RNG.dirichlet(np.ones(3), (2, 40))
TRUTH = np.arange(40) % 3


def model(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(3)]
    )


def test_flips_are_ranked_by_how_much_changed():
    changes = what_changed(BEFORE, AFTER, IMAGES, TRUTH, num_shown=5)
    was, now = BEFORE.argmax(axis=1), AFTER.argmax(axis=1)
    assert set(changes.order) == set(np.flatnonzero(was != now))
    amounts = np.abs(AFTER - BEFORE).sum(axis=1)[changes.order]
    assert (np.diff(amounts) <= 1e-6).all()
    fixed = np.sum((was != TRUTH) & (now == TRUTH))
    assert changes.verdict.num_gained == fixed
    np.testing.assert_array_equal(changes.images, IMAGES[changes.order[:5]])
    assert [row["index"] for row in changes.rows] == list(changes.order[:5])


def test_models_are_their_predictions(capsys):
    one, other = model(1), model(2)
    expected = what_changed(
        *(each.predict(IMAGES, verbose=0) for each in (one, other)), IMAGES
    )
    found = what_changed(one, other, IMAGES, batch_size=7)
    # Two passes over 40 images.
    assert "12/12" in capsys.readouterr().out
    assert 0 < len(found.order) < 40
    np.testing.assert_array_equal(found.order, expected.order)
    np.testing.assert_array_equal(found.after, expected.after)


def test_verdict_says_which_model_is_better():
    right = np.eye(3)[TRUTH]
    worse = right.copy()
    worse[:12] = np.roll(worse[:12], 1, axis=1)
    changes = what_changed(worse, right, IMAGES, TRUTH)
    assert changes.verdict == Verdict(40, num_gained=12, num_lost=0)
    assert changes.verdict.is_better is True
    assert str(changes).splitlines()[-1].startswith("better by 30.0 points")
    assert what_changed(worse, right, IMAGES).verdict is None


def test_contradicted_pseudo_labels():
    labels = AFTER.argmax(axis=1)
    labels[7] = (labels[7] + 1) % 3
    labels[9] = -1
    changes = what_changed(BEFORE, AFTER, IMAGES, pseudo_labels=labels)
    assert changes.contradicted.tolist() == [7]


def test_nothing_changed():
    changes = what_changed(BEFORE, BEFORE, IMAGES, TRUTH)
    assert len(changes.order) == len(changes.images) == 0
    assert changes.verdict.difference == 0


@pytest.mark.parametrize("before, after, options, message", [
    (BEFORE, AFTER[:, :2] / AFTER[:, :2].sum(axis=1, keepdims=True), {},
     "3 classes before, 2 after"),
    (BEFORE[:3], AFTER, {}, "`before` must be a Keras model, or"),
    (BEFORE, "model.keras", {}, "`after` must be a Keras model, or"),
    (BEFORE, AFTER, {"y": TRUTH + 1}, "class numbers from 0 to 2"),
    (BEFORE, AFTER, {"num_shown": 0}, "`num_shown` must be"),
])  # fmt: skip
def test_wrong_arguments(before, after, options, message):
    with pytest.raises(ValueError, match=message):
        what_changed(before, after, IMAGES, **options)
