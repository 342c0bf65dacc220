import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.loops.fit_head.split_at_backbone import split_at_backbone


def test_the_parts_make_up_the_model_and_share_its_layers():
    backbone = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model = keras.Sequential([layers.Rescaling(2.0), backbone, layers.Dense(2)])
    model.build((None, 4))
    extractor, head = split_at_backbone(model, backbone)
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(
        head.predict(extractor.predict(x, verbose=0), verbose=0),
        model.predict(x, verbose=0),
        rtol=1e-6,
    )
    assert head.layers[-1] is model.layers[-1]


def test_rejects_a_model_without_graph():
    class Subclassed(keras.Model):
        pass

    with pytest.raises(ValueError, match="Only a functional or `Sequential`"):
        split_at_backbone(Subclassed(), layers.Dense(2))


def test_rejects_a_backbone_that_is_called_twice_or_not_on_this_level():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    model = keras.Model(inputs, dense(dense(inputs)))
    with pytest.raises(ValueError, match="'dense', called 2 times"):
        split_at_backbone(model, dense)
    with pytest.raises(ValueError, match="'other', called 0 times"):
        split_at_backbone(model, layers.Dense(2, name="other"))


def test_rejects_a_head_that_takes_more_than_the_features():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    model = keras.Model(inputs, layers.Add()([inputs, dense(inputs)]))
    with pytest.raises(ValueError, match="take other inputs"):
        split_at_backbone(model, dense)
