import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.evaluation.features import (
    as_probabilities,
    features_and_probabilities,
    flat_features,
    predicted_probabilities,
    with_features,
)
from keras_fewlabels.models import NoisyStudentModel

IMAGES = np.random.default_rng(0).random((70, 4, 4, 1), "float32")


def classifier(activation="softmax"):
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Flatten(),
            layers.Dense(5, activation="relu", name="features"),
            layers.Dropout(0.5),
            layers.Dense(3, activation=activation),
        ]
    )


def by_hand(model):
    kernel, bias = model.get_layer("features").get_weights()
    return np.maximum(IMAGES.reshape(70, 16) @ kernel + bias, 0)


def nested(model):
    inputs = keras.Input((4, 4, 1))
    return keras.Model(inputs, model(layers.Rescaling(1.0)(inputs)))


def twice_nested(model):
    return keras.Sequential([keras.Input((4, 4, 1)), nested(model)])


def activated(model):
    return keras.Sequential([model, layers.Activation("linear")])


WRAPPERS = {
    "itself": lambda model: model,
    "nested": nested,
    "twice nested": twice_nested,
    "activation behind it": activated,
    "trained as a student": NoisyStudentModel,
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_features_are_the_input_of_the_last_dense_layer(wrapper):
    model = classifier()
    features, probabilities = features_and_probabilities(
        WRAPPERS[wrapper](model), image_source(IMAGES), batch_size=2
    )
    np.testing.assert_allclose(features, by_hand(model), atol=1e-5)
    expected = model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_logits_become_probabilities():
    model, same = classifier(None), classifier()
    same.set_weights(model.get_weights())
    found = predicted_probabilities(model, image_source(IMAGES), 16)
    expected = same.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_feature_model_may_give_maps_and_the_model_be_anything():
    class Subclassed(keras.Model):
        def call(self, images):
            level = keras.ops.mean(images, axis=(1, 2, 3))
            return keras.ops.stack([level, 1 - level], axis=-1)

    maps = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(6, 3)])
    features, probabilities = features_and_probabilities(
        Subclassed(), image_source(IMAGES), 32, feature_model=maps
    )
    expected = maps.predict(IMAGES, verbose=0).mean(axis=(1, 2))
    np.testing.assert_allclose(features, expected, atol=1e-6)
    level = IMAGES.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(probabilities[:, 0], level, atol=1e-6)
    with pytest.raises(ValueError, match="as `feature_model`"):
        features_and_probabilities(Subclassed(), image_source(IMAGES), 32)


def test_model_without_a_dense_layer():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Conv2D(3, 4), layers.Flatten()]
    )
    with pytest.raises(ValueError, match="its last `Dense` layer"):
        with_features(model)


def test_images_of_another_size():
    with pytest.raises(ValueError, match="The model must take the images"):
        predicted_probabilities(classifier(), image_source(IMAGES[:, :3]), 8)


def test_looking_at_the_shape_takes_no_pass_over_a_dataset():
    class Images(keras.utils.PyDataset):
        num_read = 0

        def __len__(self):
            return 30

        def __getitem__(self, index):
            Images.num_read += 1
            return IMAGES[:10]

    source = image_source(Images())
    assert len(source) == 300
    before = Images.num_read
    predicted_probabilities(classifier(), source, 10)
    assert Images.num_read - before == 30


def test_loss_of_the_model_tells_logits_from_probabilities():
    # Constant logits that look like probabilities.
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Flatten(),
            layers.Dense(2, kernel_initializer="zeros"),
        ]
    )
    model.layers[-1].bias.assign([1.0, 0.0])
    probabilities = predicted_probabilities(model, image_source(IMAGES), 70)
    np.testing.assert_allclose(probabilities[0], [1, 0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    probabilities = predicted_probabilities(model, image_source(IMAGES), 70)
    expected = np.exp(1) / (1 + np.exp(1))
    np.testing.assert_allclose(probabilities[0, 0], expected, rtol=1e-5)
    trained = NoisyStudentModel(model)
    trained.compile("sgd", loss)
    probabilities = predicted_probabilities(trained, image_source(IMAGES), 70)
    np.testing.assert_allclose(probabilities[0, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
def test_each_of_several_labels_has_a_probability_of_its_own(from_logits):
    model = classifier(None if from_logits else "sigmoid")
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits))
    outputs = model.predict(IMAGES, verbose=0)
    expected = 1 / (1 + np.exp(-outputs)) if from_logits else outputs
    features, probabilities = features_and_probabilities(
        model, image_source(IMAGES), 16, several=True
    )
    np.testing.assert_allclose(features, by_hand(model), atol=1e-5)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert probabilities.sum(axis=1).std() > 0.01
    with pytest.raises(ValueError, match="a model of several sigmoids"):
        predicted_probabilities(model, image_source(IMAGES), 16)


def test_scores_and_features_must_be_finite():
    with pytest.raises(ValueError, match="finite scores"):
        as_probabilities(np.full((2, 3), np.nan), 2)
    with pytest.raises(ValueError, match="Features must be finite"):
        flat_features(np.full((2, 3), np.inf))
