import keras

from keras_fewlabels.foundation import save_as_it_is, save_with


def test_the_config_has_the_values_until_all_are_taken_back():
    layer = keras.layers.BatchNormalization(momentum=0.99)
    own = layer.get_config()
    layer.momentum, layer.trainable = 0.9, False
    save_with(layer, momentum=0.99)
    save_with(layer, trainable=True, unknown=3)
    assert layer.get_config() == own
    copy = keras.layers.BatchNormalization.from_config(layer.get_config())
    assert copy.momentum == 0.99 and copy.trainable
    save_as_it_is(layer, "momentum")
    assert layer.get_config() == {**own, "momentum": 0.9}
    save_as_it_is(layer, "trainable", "unknown")
    assert layer.get_config() == {**own, "momentum": 0.9, "trainable": False}
    assert "get_config" not in vars(layer)
    save_as_it_is(layer, "trainable")
