import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks.pseudo_labeler.loss_of_known import LossOfKnown
from keras_fewlabels.data.batches.unknown_labels import mark_unknown

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(40, 2, 2, 1)).astype("float32")
LABELS = RANDOM.integers(0, 2, (40, 3)).astype("float32")
KNOWN = RANDOM.random((40, 3)) < 0.6
LOSSES = {
    "cross-entropy": keras.losses.BinaryCrossentropy,
    "focal": keras.losses.BinaryFocalCrossentropy,
    "sum": lambda from_logits: keras.losses.BinaryCrossentropy(
        from_logits, reduction="sum"
    ),
}


def classifier(from_logits, loss="cross-entropy", by_label=False):
    """A model of three labels; `by_label` gives each a loss of its own."""
    keras.utils.set_random_seed(0)
    images = keras.Input((2, 2, 1))
    x = keras.layers.Flatten()(images)
    activation = None if from_logits else "sigmoid"
    x = keras.layers.Dense(3, activation)(x)
    if by_label:
        x = keras.layers.Reshape((3, 1))(x)
    model = keras.Model(images, x)
    threshold = 1e-7 if from_logits else 0.5
    model.compile(
        keras.optimizers.SGD(0.5),
        LOSSES[loss](from_logits),
        metrics=[keras.metrics.BinaryAccuracy("accuracy", threshold=threshold)],
    )
    return model


def step(model, labels, weights=None):
    return model.train_on_batch(
        IMAGES, labels, sample_weight=weights, return_dict=True
    )


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("name", ["cross-entropy", "focal"])
def test_a_step_is_that_of_weights_of_each_label(name, from_logits):
    model = classifier(from_logits, name)
    by_hand = classifier(from_logits, name, by_label=True)
    LossOfKnown(model, from_logits)
    marked = mark_unknown(LABELS, KNOWN).astype("float32")
    for _ in range(3):
        found = step(model, marked)
        # With a last axis of one label, Keras weights each of them.
        expected = step(by_hand, LABELS[..., None], KNOWN.astype("float32"))
        assert float(found["loss"]) == pytest.approx(
            float(expected["loss"]), rel=1e-4
        )
    for ours, theirs in zip(
        model.get_weights(), by_hand.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_metrics_compare_with_the_likelier_answers():
    model = classifier(True)
    decided = model.predict(IMAGES, verbose=0) > 0
    LossOfKnown(model, True)
    logs = step(model, mark_unknown(LABELS, KNOWN).astype("float32"))
    assert float(logs["accuracy"]) == pytest.approx(np.mean(decided == LABELS))


@pytest.mark.parametrize("name", LOSSES)
def test_labels_that_are_all_known_change_nothing(name):
    model, other = classifier(True, name), classifier(True, name)
    LossOfKnown(model, True)
    found, expected = step(model, LABELS), step(other, LABELS)
    assert float(found["loss"]) == pytest.approx(
        float(expected["loss"]), rel=1e-5
    )
    for ours, theirs in zip(
        model.get_weights(), other.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_an_unknown_label_costs_nothing():
    model = classifier(True, "sum")
    LossOfKnown(model, True)
    before = model.get_weights()
    marked = mark_unknown(LABELS, np.zeros_like(KNOWN)).astype("float32")
    assert float(step(model, marked)["loss"]) == pytest.approx(0, abs=1e-4)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_model_has_its_own_loss_again():
    model, other = classifier(True), classifier(True)
    loss = LossOfKnown(model, True)
    loss.restore()
    loss.restore()
    assert "compute_loss" not in vars(model)
    assert "compute_metrics" not in vars(model)
    # Numbers that no label has show whose loss it is.
    found, expected = step(model, 2 * LABELS), step(other, 2 * LABELS)
    assert float(found["loss"]) == pytest.approx(
        float(expected["loss"]), rel=1e-5
    )


def test_a_train_step_that_does_not_ask_for_the_loss_is_noticed():
    model = classifier(True)
    loss = LossOfKnown(model, True)
    model.test_on_batch(IMAGES, LABELS)
    with pytest.raises(ValueError, match=r"`self.compute_loss\(x, y"):
        loss.check_used()
    step(model, LABELS)
    loss.check_used()
