import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models.student.mixed_images import (
    label_rows,
    mix_by_layer,
    shares_of_views,
    targets_of_mixed_batch,
)

RANDOM = np.random.default_rng(0)


def test_views_of_unlabeled_images_follow_each_other():
    shares = ops.convert_to_numpy(shares_of_views(2, 3, 8))
    expected = np.eye(5)[[0, 1, 2, 3, 4, 2, 3, 4]]
    np.testing.assert_array_equal(shares, expected)


@pytest.mark.tensorflow
def test_sizes_may_be_unknown_in_a_graph():
    import tensorflow as tf

    @tf.function(input_signature=3 * [tf.TensorSpec((), "int32")])
    def shares(*sizes):
        return shares_of_views(*sizes)

    np.testing.assert_array_equal(
        shares(2, 3, 8), ops.convert_to_numpy(shares_of_views(2, 3, 8))
    )


@pytest.mark.parametrize(
    "labels", [np.array([2, 0]), np.array([[2], [0]]), np.eye(3)[[2, 0]]]
)
def test_labels_of_any_form_are_rows(labels):
    rows = ops.convert_to_numpy(label_rows(ops.convert_to_tensor(labels), 3))
    np.testing.assert_array_equal(rows, np.eye(3)[[2, 0]])
    assert rows.dtype == "float32"


@pytest.mark.parametrize("sample_weight", [None, [2.0, 0.5], [[2.0], [0.5]]])
def test_each_image_counts_by_its_share_and_its_weight(sample_weight):
    """The losses of a row, image by image, in a slow loop."""
    shares = RANDOM.dirichlet(np.ones(5), 8).astype("float32")
    labels = np.array([2, 0])
    targets = RANDOM.dirichlet(np.ones(3), 3).astype("float32")
    weights = np.array([1, 0, 0.4], "float32")
    log_predictions = np.log(RANDOM.dirichlet(np.ones(3), 8))
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(np.float32(sample_weight))
    own, others, unlabeled = keras.tree.map_structure(
        ops.convert_to_numpy,
        targets_of_mixed_batch(
            ops.convert_to_tensor(shares),
            ops.convert_to_tensor(labels),
            sample_weight,
            ops.convert_to_tensor(targets),
            ops.convert_to_tensor(weights),
        ),
    )
    of_images = np.concatenate([np.eye(3)[labels], targets])
    counted = np.concatenate(
        [[1, 1] if sample_weight is None else [2, 0.5], weights]
    )
    for row in range(8):
        losses = [
            -shares[row, image]
            * counted[image]
            * (of_images[image] * log_predictions[row]).sum()
            for image in range(5)
        ]
        if row < 2:
            assert own[row] == pytest.approx(
                shares[row, row] * counted[row], rel=1e-5
            )
            del losses[row]
        targets_, weights_ = others if row < 2 else unlabeled
        index = row if row < 2 else row - 2
        np.testing.assert_allclose(targets_[index].sum(), 1, rtol=1e-5)
        loss = -weights_[index] * (targets_[index] * log_predictions[row]).sum()
        assert loss == pytest.approx(sum(losses), rel=1e-4)


def test_rows_that_count_for_nothing_have_no_targets():
    zeros = ops.zeros((2,))
    _, others, unlabeled = targets_of_mixed_batch(
        ops.eye(4), ops.array([0, 1]), None, ops.ones((2, 3)) / 3, zeros
    )
    for part in (*others, *unlabeled):
        np.testing.assert_array_equal(ops.convert_to_numpy(part), 0)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_layers_of_keras_mix_shares_as_they_mix_images(name):
    images = np.tile(np.eye(6, dtype="float32")[:, None, None], (1, 8, 8, 1))
    layer = getattr(keras.layers, name)(seed=0)
    mixed, shares = map(
        ops.convert_to_numpy,
        mix_by_layer(layer, ops.convert_to_tensor(images), ops.eye(6)),
    )
    assert ((shares > 0) & (shares < 1)).any()
    shown = mixed.mean(axis=(1, 2))
    if name == "MixUp":
        np.testing.assert_allclose(shown, shares, atol=1e-5)
    # CutMix counts the part of a hole outside of the image as well.
    assert (shares[shown > 0] > 0).all()


def test_layer_that_takes_images_alone_is_refused():
    with pytest.raises(ValueError, match="takes and returns a dict"):
        mix_by_layer(
            keras.layers.Flatten(), ops.zeros((2, 4, 4, 1)), ops.eye(2)
        )
