import keras
import pytest
from keras import layers
from models_as_arguments import IMAGES, OwnTrainStep, tensors

from keras_fewlabels.foundation import check_classifier


def test_an_own_train_step_would_not_be_called():
    model = OwnTrainStep(*tensors())
    check_classifier(model, "teacher")
    with pytest.raises(ValueError, match=r"student .* own train_step would"):
        check_classifier(model, "student", trained=True)
    # The way out of the message.
    images = keras.Input(IMAGES.shape[1:])
    around = keras.Model(images, model(images))
    check_classifier(around, "student", trained=True)


@pytest.mark.parametrize(
    "end",
    [
        layers.Dense(3, activation="sigmoid", name="end"),
        layers.Activation("sigmoid"),
        keras.ops.sigmoid,
        keras.Sequential([layers.Dense(3), layers.Activation("sigmoid")]),
    ],
    ids=["dense", "activation", "operation", "nested"],
)
def test_sigmoids_are_no_probabilities_of_classes(end):
    images = keras.Input((3,))
    model = keras.Model(images, end(layers.Dense(3)(images)))
    with pytest.raises(ValueError, match=r"end it with a softmax.*a sigmoid"):
        check_classifier(model, "student")
