import keras
import pytest
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
