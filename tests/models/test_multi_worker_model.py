import keras
import numpy as np

from keras_fewlabels.loops.noisy_student.training import averaged_student
from keras_fewlabels.models import MultiWorkerModel, NoisyStudentModel

IMAGES = np.random.default_rng(0).normal(size=(12, 5)).astype("float32")
LABELS = np.arange(12) % 3


def subclassed(base):
    class Classifier(base):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(3, activation="softmax")

        def call(self, images):
            return self.head(images)

    return Classifier()


def test_is_a_keras_model_where_there_is_one_worker():
    # Several workers are tested with `NoisyStudentModel`, which has the same
    # fixes, and with `PseudoLabeler`.
    runs = []
    for base in (MultiWorkerModel, keras.Model):
        keras.utils.set_random_seed(0)
        model = subclassed(base)
        model.compile(
            "sgd", "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        history = model.fit(
            IMAGES,
            LABELS,
            epochs=2,
            validation_data=(IMAGES, LABELS),
            shuffle=False,
            verbose=0,
        ).history
        runs.append([*history.values(), *model.get_weights()])
    for ours, theirs in zip(*runs, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_functional_one_leaves_the_models_of_this_package_alone():
    # Keras would change their bases with those of `MultiWorkerModel`.
    for model in (NoisyStudentModel, averaged_student.SupervisedStudent):
        assert not issubclass(model, MultiWorkerModel)
