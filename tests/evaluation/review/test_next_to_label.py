import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.evaluation import next_to_label

# What the model gives as logits; the features, too.
LOGITS = np.array(
    [[9, 0, 0], [0, 9, 0], [0, 0, 9], [4, 3.5, 0], [4, 3.4, 0], [0, 4, 3.5],
     [8, 0, 0], [0, 8, 0]]
)  # fmt: skip
IMAGES = LOGITS.reshape(8, 1, 1, 3).astype("float32")
LABELED = IMAGES[:3], np.array([0, 1, 2])
POOL = IMAGES[3:]


@pytest.fixture
def model():
    return keras.Sequential(
        [
            keras.Input((1, 1, 3)),
            layers.Flatten(),
            layers.Dense(3, "softmax", kernel_initializer="identity"),
        ]
    )


def test_uncertain_images_that_differ_come_first(model):
    proposals = next_to_label(model, LABELED, POOL, count=3)
    # 0 and 1 are alike; 3 and 4 are sure.
    first, second, third = proposals.indices
    assert {first, second} in ({0, 2}, {1, 2})
    assert third not in (first, second)
    assert (np.diff(proposals.gain) <= 0).all()
    np.testing.assert_array_equal(proposals.images, POOL[proposals.indices])
    np.testing.assert_array_equal(
        proposals.predicted, LOGITS[3:].argmax(axis=1)[proposals.indices]
    )
    probabilities = np.sort(model.predict(POOL, verbose=0), axis=1)
    np.testing.assert_allclose(
        proposals.uncertainty,
        (1 - probabilities[:, 2] + probabilities[:, 1])[proposals.indices],
        rtol=1e-4,
    )


def test_class_with_few_labels_needs_more(model):
    # Three labels of class 0 and 1, one of class 2.
    many = np.array([0, 0, 0, 1, 1, 1, 2])
    labeled = IMAGES[many], many
    pool = POOL[[0, 2]]
    proposals = next_to_label(model, labeled, pool, count=2)
    # (1/4, 1/4, 1/2) around a mean of 1.
    need = dict(zip(proposals.indices, proposals.class_need, strict=True))
    probabilities = model.predict(pool, verbose=0)
    expected = probabilities @ [0.75, 0.75, 1.5]
    np.testing.assert_allclose([need[0], need[1]], expected, rtol=1e-4)


def test_class_with_many_errors_needs_more(model):
    # Class 0 is right, class 1 is wrong; no image of class 2.
    validation = IMAGES[[0, 0, 2, 2]], np.array([0, 0, 1, 1])
    proposals = next_to_label(
        model, LABELED, POOL[:1], 1, validation_data=validation
    )
    shares = np.array([1 / 4, 3 / 4, 1 / 2])
    need = model.predict(POOL[:1], verbose=0)[0] @ (shares / shares.mean())
    np.testing.assert_allclose(proposals.class_need, [need], rtol=1e-4)


def test_files_are_named_by_their_paths(model):
    paths = [f"{number}.png" for number in range(5)]
    proposals = next_to_label(model, LABELED, POOL, 2, paths=paths)
    assert [row["path"] for row in proposals.rows] == [
        paths[number] for number in proposals.indices
    ]


def test_one_progress_bar_over_all_images(model, capsys):
    validation = IMAGES[[0, 0, 2, 2]], np.array([0, 0, 1, 1])
    next_to_label(
        *(model, LABELED, POOL, 1), validation_data=validation, batch_size=2
    )
    # Batches of 5 unlabelled, 3 labelled and 4 validation images.
    assert "7/7" in capsys.readouterr().out
    next_to_label(model, LABELED, POOL, 1, verbose=0)
    assert capsys.readouterr().out == ""


def test_count_above_the_number_of_images_is_refused(model):
    with pytest.raises(ValueError, match="count=6 for 5 images"):
        next_to_label(model, LABELED, POOL, 6)


@pytest.fixture
def several():
    """A model of three labels, each of which is one value of an image."""
    return keras.Sequential(
        [
            keras.Input((1, 1, 3)),
            layers.Flatten(),
            layers.Dense(3, "sigmoid", kernel_initializer="identity"),
        ]
    )


ROWS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
VALUES = np.array([[8, -8, -8], [0.5, -8, -2], [1, 0.5, 0.25], [-8, 8, 8]])


def test_several_labels_are_as_uncertain_as_each_of_them(several):
    labeled = IMAGES[:3], ROWS.astype("float32")
    pool = VALUES.reshape(4, 1, 1, 3).astype("float32")
    proposals = next_to_label(several, labeled, pool, 4, verbose=0)
    chosen = proposals.indices
    assert sorted(chosen) == [0, 1, 2, 3]
    p = 1 / (1 + np.exp(-VALUES))
    doubts = 1 - np.abs(2 * p - 1)
    # Two images have each of the first labels, one has the last.
    need = np.array([1 / 3, 1 / 3, 1 / 2])
    need /= need.mean()
    asked = (doubts * need).argmax(axis=1)
    assert asked[2] == 2
    np.testing.assert_array_equal(proposals.predicted, asked[chosen])
    np.testing.assert_allclose(
        proposals.confidence, p[chosen, asked[chosen]], atol=1e-5
    )
    np.testing.assert_allclose(
        proposals.uncertainty, doubts.mean(axis=1)[chosen], atol=1e-5
    )
    np.testing.assert_allclose(
        proposals.class_need,
        ((doubts @ need) / doubts.sum(axis=1))[chosen],
        rtol=1e-3,
    )


def test_a_label_that_is_often_missed_needs_more(several):
    labeled = IMAGES[:3], ROWS
    pool = VALUES[2:3].reshape(1, 1, 1, 3).astype("float32")
    # The first label is found, the second is not; no image has the third.
    image = np.array([8, -8, -8], "float32").reshape(1, 1, 1, 3)
    validation = image, np.array([[1, 1, 0]])
    proposals = next_to_label(
        several, labeled, pool, 1, validation_data=validation, verbose=0
    )
    need = np.array([1 / 3 * 1 / 3, 1 / 3 * 2 / 3, 1 / 2 * 1 / 2])
    doubts = 1 - np.abs(2 / (1 + np.exp(-VALUES[2])) - 1)
    expected = doubts @ (need / need.mean()) / doubts.sum()
    np.testing.assert_allclose(proposals.class_need, [expected], rtol=1e-4)


def test_a_class_with_most_of_the_pool_is_not_most_of_the_proposals():
    # 300 uncertain images of class 0 look like it and one of the others; of
    # each other class there are six.
    random = np.random.default_rng(0)
    others = np.concatenate([random.integers(1, 12, 300), 6 * [*range(1, 12)]])
    logits = 3 * np.eye(12)[others]
    logits[:300, 0] += 4
    logits[300:] *= 0.8
    logits += 0.3 * random.normal(size=logits.shape)
    pool = logits.reshape(-1, 1, 1, 12).astype("float32")
    truth = np.where(np.arange(len(pool)) < 300, 0, others)
    model = keras.Sequential(
        [
            keras.Input((1, 1, 12)),
            layers.Flatten(),
            layers.Dense(12, "softmax", kernel_initializer="identity"),
        ]
    )
    labeled = 9 * np.eye(12, dtype="float32")[:, None, None], np.arange(12)
    proposals = next_to_label(model, labeled, pool, count=12, verbose=0)
    counts = np.bincount(truth[proposals.indices], minlength=12)
    assert counts.max() <= 5
    assert (counts > 0).sum() >= 8
