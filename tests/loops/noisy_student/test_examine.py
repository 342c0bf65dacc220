import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.examine import (
    find_mistakes,
    label_pool,
)

PROBABILITIES = np.array(
    [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.05, 0.95]]
)


@pytest.mark.parametrize("kind", [np.asarray, keras.utils.to_categorical])
def test_the_surest_mistakes_come_first(kind):
    found = find_mistakes(PROBABILITIES, kind([0, 1, 1, 0, 0]))
    assert found["confusion"] == [[1, 2], [1, 1]]
    assert [each["index"] for each in found["mistakes"]] == [4, 1, 3]
    assert found["mistakes"][0] == {
        "index": 4,
        "true": 0,
        "predicted": 1,
        "confidence": 0.95,
    }


def test_there_may_be_none_or_many():
    right = PROBABILITIES.argmax(axis=1)
    assert find_mistakes(PROBABILITIES, right)["mistakes"] == []
    many = np.tile(PROBABILITIES, (10, 1))
    assert len(find_mistakes(many, 1 - np.tile(right, 10))["mistakes"]) == 20


def classifier():
    return keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )


IMAGES = np.random.default_rng(0).random((7, 2, 2, 1), "float32")


def test_every_image_of_the_pool_has_a_label():
    model = classifier()
    pool = label_pool(model, IMAGES, from_logits=True)
    scores = keras.ops.softmax(model.predict(IMAGES, verbose=0))
    scores = keras.ops.convert_to_numpy(scores)
    np.testing.assert_array_equal(pool.labels, scores.argmax(axis=1))
    np.testing.assert_allclose(pool.confidence, scores.max(axis=1), rtol=1e-5)
    assert pool.files is None


@pytest.mark.tensorflow
def test_a_dataset_is_labelled_if_its_order_is_known():
    import tensorflow as tf

    model = classifier()
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES)
    pool = label_pool(model, dataset.batch(2), from_logits=True)
    expected = label_pool(model, IMAGES, from_logits=True)
    np.testing.assert_array_equal(pool.labels, expected.labels)
    assert label_pool(model, dataset.shuffle(7), True) is None
