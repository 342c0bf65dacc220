import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.pseudo_labeler import label_pass
from keras_fewlabels.callbacks.pseudo_labeler.label_pass import LabelPass
from keras_fewlabels.callbacks.pseudo_labeler.workers import OnlyWorker
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

IMAGES = np.random.default_rng(0).normal(size=(50, 2, 2, 1)).astype("float32")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    # Seven pieces, the last one with a smaller batch.
    monkeypatch.setattr(label_pass, "_BATCHES_PER_PIECE", 2)


class Model:
    """A fixed linear classifier that counts the images it predicts."""

    weights = ()

    def __init__(self):
        self.kernel = np.random.default_rng(1).normal(size=(4, 3)) * 2
        self.num_predicted = 0

    def predict(self, images, batch_size, verbose):
        self.num_predicted += len(images)
        return images.reshape(len(images), 4) @ self.kernel


def labels_of(
    policy,
    source=None,
    model=None,
    store=None,
    settings="",
    scores=None,
):
    policy.build((None, 3))
    label_pass = LabelPass(
        image_source(IMAGES) if source is None else source,
        OnlyWorker(Model() if model is None else model),
        policy,
        scores=scores or ClassScores(True),
        num_classes=3,
        batch_size=4,
        store=store,
    )
    return label_pass.run(settings)


def by_hand():
    logits = IMAGES.reshape(50, 4) @ Model().kernel
    return ops.convert_to_numpy(ops.softmax(logits, axis=-1))


def test_labels_of_all_images():
    labels = labels_of(FixedThreshold(0.8))
    expected = by_hand()
    np.testing.assert_array_equal(labels.classes, expected.argmax(axis=1))
    np.testing.assert_allclose(labels.confidence, expected.max(axis=1), 1e-5)
    np.testing.assert_array_equal(labels.kept, expected.max(axis=1) >= 0.8)
    assert 0.1 < labels.kept.mean() < 0.9
    assert labels.targets is None


def test_soft_targets_in_half_precision():
    labels = labels_of(FixedThreshold(0.8, soft=True))
    assert labels.targets.dtype == "float16"
    np.testing.assert_allclose(labels.targets, by_hand(), atol=5e-4)


@pytest.mark.parametrize("soft", [False, True])
def test_each_of_several_labels_is_kept_by_itself(soft):
    labels = labels_of(FixedThreshold(0.8, soft), scores=Sigmoids(True))
    expected = 1 / (1 + np.exp(-IMAGES.reshape(50, 4) @ Model().kernel))
    confidence = np.maximum(expected, 1 - expected)
    np.testing.assert_array_equal(labels.classes, expected > 0.5)
    np.testing.assert_allclose(labels.confidence, confidence, 1e-5)
    np.testing.assert_array_equal(labels.kept, confidence >= 0.8)
    assert 0.1 < labels.kept.mean() < 0.9
    if soft:
        np.testing.assert_allclose(labels.targets, expected, atol=5e-4)
    else:
        assert labels.targets is None


def test_stored_pieces_of_several_labels(tmp_path):
    def label():
        return labels_of(
            FixedThreshold(0.8),
            model=model,
            store=store,
            settings="abc",
            scores=Sigmoids(True),
        )

    model, store = Model(), ArrayStore(tmp_path)
    first, again = label(), label()
    assert model.num_predicted == 50
    assert_same(first, again)
    name = store.names("labels_")[2]
    key = name.split("_")[1]
    piece = store.read(name, key)
    # A label is true or not, and there are three.
    for classes in (piece["classes"] + 2, piece["classes"][:, 0]):
        store.write(name, key, {**piece, "classes": classes})
        with pytest.raises(ValueError, match=f"another layout.*{name}"):
            label()


def test_policies_see_the_pieces_in_order_and_know_the_images():
    seen = []

    class Remembers(FixedThreshold):
        def call(self, probabilities, indices=None, **context):
            seen.append(ops.convert_to_numpy(indices))
            return super().call(probabilities)

    labels_of(Remembers(0.5))
    assert [len(part) for part in seen] == [8, 8, 8, 8, 8, 8, 2]
    assert np.concatenate(seen).tolist() == list(range(50))


def assert_same(one, other):
    for name in ("classes", "confidence", "kept"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("soft", [False, True])
def test_pieces_of_a_killed_pass_are_not_predicted_again(tmp_path, soft):
    def policy():
        return DistributionAlignment(FixedThreshold(0.6, soft), momentum=0.5)

    class Killed(Model):
        def predict(self, images, batch_size, verbose):
            if self.num_predicted == 24:
                raise KeyboardInterrupt
            return super().predict(images, batch_size, verbose)

    cached = {"store": ArrayStore(tmp_path), "settings": "abc"}
    whole = labels_of(policy())
    with pytest.raises(KeyboardInterrupt):
        labels_of(policy(), model=Killed(), **cached)
    files = cached["store"].names("labels_")
    assert len(files) == 3
    (tmp_path / f"{files[1]}.npz").write_bytes(b"damaged")
    resumed = Model()
    with pytest.warns(UserWarning, match=f"{files[1]}.npz is damaged"):
        labels = labels_of(policy(), model=resumed, **cached)
    assert resumed.num_predicted == 50 - 2 * 8
    assert_same(labels, whole)
    if soft:
        np.testing.assert_array_equal(labels.targets, whole.targets)
    # Labels under other settings or of other weights are of no use.
    others = Model(), Model()
    others[1].weights = [np.ones(2)]
    for other in others:
        labels_of(policy(), model=other, **{**cached, "settings": "other"})
        assert other.num_predicted == 50
        assert len(cached["store"].names("labels_")) == 7


LAYOUTS = {
    "no labels": lambda piece: piece.pop("classes"),
    "short": lambda piece: piece.update(kept=piece["kept"][1:]),
    "numbers": lambda piece: piece.update(kept=piece["classes"]),
    "unknown class": lambda piece: piece.update(classes=piece["classes"] + 3),
    "no policy": lambda piece: piece.pop("policy_0"),
    "other policy": lambda piece: piece.update(policy_0=np.zeros(7)),
    "narrow": lambda piece: piece.update(targets=np.ones((8, 2), "float16")),
}


@pytest.mark.parametrize("change", LAYOUTS.values(), ids=LAYOUTS)
def test_pieces_of_another_layout_are_named(tmp_path, change):
    def label():
        policy = DistributionAlignment(FixedThreshold(0.6), momentum=0.5)
        return labels_of(policy, store=store, settings="abc")

    store = ArrayStore(tmp_path)
    label()
    name = store.names("labels_")[2]
    key = name.split("_")[1]
    piece = store.read(name, key)
    change(piece)
    store.write(name, key, piece)
    with pytest.raises(ValueError, match=f"another layout.*{name}"):
        label()


def test_pieces_are_small_where_images_are_large(monkeypatch):
    monkeypatch.setattr(label_pass, "_MOST_BYTES", 100)
    seen = []

    class Remembers(Model):
        def predict(self, images, batch_size, verbose):
            seen.append(len(images))
            return super().predict(images, batch_size, verbose)

    # An image has 16 bytes.
    labels_of(FixedThreshold(0.5), model=Remembers())
    assert seen == [4] * 12 + [2]


def test_datasets_are_read_as_arrays_are():
    import tensorflow as tf

    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES).batch(7)
    one, other = (
        labels_of(FixedThreshold(0.6), image_source(source), model)
        for source in (IMAGES, dataset)
    )
    np.testing.assert_array_equal(one.classes, other.classes)
    np.testing.assert_allclose(one.confidence, other.confidence, 1e-6)


def test_predictions_that_are_not_finite_are_named():
    class Broken(Model):
        def predict(self, images, batch_size, verbose):
            outputs = super().predict(images, batch_size, verbose)
            if self.num_predicted == 24:
                outputs[5] = np.nan
            return outputs

    with pytest.raises(ValueError, match=r"unlabelled images \[21\]"):
        labels_of(FixedThreshold(), model=Broken())


def test_weights_between_0_and_1_are_refused():
    class Half(FixedThreshold):
        def call(self, probabilities, **context):
            targets, weights = super().call(probabilities)
            return targets, weights / 2

    with pytest.raises(ValueError, match=r"keeps an image or does not.*0\.5"):
        labels_of(Half(0.0))
