import warnings

import keras
import numpy as np
import pytest

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.models.student.guard_rails import GuardRails
from keras_fewlabels.policies import FixedThreshold

IMAGES = np.random.default_rng(0).normal(size=(40, 2, 3, 1)).astype("float32")


def classifier(bias):
    model = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.set_weights([np.zeros((6, 4)), np.array(bias, "float32")])
    return model


def as_often_as_labeled():
    """A teacher sure of class 2, but for one image in twenty."""
    first, second = np.sort(IMAGES[20:].sum(axis=(1, 2, 3)))[:-3:-1]
    model = classifier([0, -500 * (first + second), 20, 0])
    kernel = np.zeros((6, 4))
    kernel[:, 1] = 1000
    model.set_weights([kernel, model.get_weights()[1]])
    return model


def messages(caught):
    return [str(w.message) for w in caught if w.category is UserWarning]


def fit(teacher, labels, threshold=0.9, images=IMAGES, **arguments):
    model = NoisyStudentModel(
        classifier([0, 0, 0, 0]), teacher, FixedThreshold(threshold)
    )
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    data = mix_labeled_unlabeled((images[:20], labels), images[20:], 5)
    return model.fit(data, epochs=4, verbose=0, **arguments)


@pytest.mark.parametrize("validation", [{}, {"validation_data": True}])
def test_a_class_that_takes_over_is_named_once(validation):
    labels = np.arange(20) % 4
    if validation:
        validation = {"validation_data": (IMAGES[:20], labels)}
    with pytest.warns(UserWarning) as caught:
        fit(classifier([0, 0, 9, 0]), labels, **validation)
    (message,) = messages(caught)
    assert "Class 2 is taking over: 100% of the pseudo-labels, but 25%" in (
        message
    )


def test_several_classes_that_take_over_are_noticed():
    half = float(np.median(IMAGES[20:].sum(axis=(1, 2, 3))))
    teacher = classifier([0, -1000 * half, 20, 0])
    kernel = np.zeros((6, 4))
    kernel[:, 1] = 1000
    teacher.set_weights([kernel, teacher.get_weights()[1]])
    with pytest.warns(UserWarning, match=r"Class [12] is taking over: 50%"):
        fit(teacher, np.arange(20) % 4)


def test_a_few_images_that_count_say_nothing_of_the_classes():
    labels = np.arange(20) % 4
    kernel = np.zeros((6, 4))
    kernel[:, 1] = 1000
    # Sure of one image in twenty; of the others every class is as likely.
    first, second = np.sort(IMAGES[20:].sum(axis=(1, 2, 3)))[:-3:-1]
    teacher = classifier([0, -500 * (first + second), 0, 0])
    teacher.set_weights([kernel, teacher.get_weights()[1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(teacher, labels)


def test_a_class_that_really_is_frequent_takes_nothing_over():
    labels = np.full(20, 2)
    labels[0] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        # 95 % of the labels are of the class, and of the pseudo-labels too.
        fit(as_often_as_labeled(), labels)


def test_nothing_confident_is_said_once_and_not_of_a_model_that_begins():
    with pytest.warns(UserWarning, match=r"keeps 0.0% .*epoch 1") as caught:
        fit(classifier([0, 0, 0, 0]), np.arange(20) % 4)
    assert len(messages(caught)) == 1


def test_nan_stops_the_fit_and_names_the_batch():
    broken = IMAGES.copy()
    # Found only when it is due: the first batch is looked at before.
    model = NoisyStudentModel(classifier([0, 0, 0, 0]))
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = np.arange(20) % 4
    data = mix_labeled_unlabeled(
        (broken[:20], labels), broken[20:], 5, shuffle=False
    )
    broken[17] = np.nan  # the last of four batches
    with pytest.raises(FloatingPointError, match=r"batch 3 of epoch 0.*=nan"):
        model.fit(data, epochs=4, verbose=0)


def test_a_model_without_pseudo_labels_has_its_loss_watched():
    model = classifier([0, 0, 0, 0])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    labels = np.arange(20) % 4
    arguments = {"verbose": 0, "callbacks": [GuardRails()], "shuffle": False}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(
            IMAGES[:20],
            labels,
            5,
            epochs=2,
            validation_data=(IMAGES[20:], labels),
            **arguments,
        )
    broken = IMAGES[:20].copy()
    broken[11] = np.nan  # in the third of four batches
    with pytest.raises(FloatingPointError, match=r"batch 2 of epoch 0"):
        model.fit(broken, labels, 5, **arguments)


def test_a_collapse_is_said_after_another_warning():
    # Nothing is confident, then everything is of one class.
    model = NoisyStudentModel(
        classifier([0, 0, 0, 0]),
        classifier([0, 0, 0, 0]),
        FixedThreshold(0.9),
    )
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    labels = np.arange(20) % 4
    data = mix_labeled_unlabeled((IMAGES[:20], labels), IMAGES[20:], 5)
    turn = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, _: (
            epoch == 2
            and model.teacher.set_weights(
                classifier([0, 0, 9, 0]).get_weights()
            )
        )
    )
    with pytest.warns(UserWarning) as caught:
        model.fit(data, epochs=4, verbose=0, callbacks=[turn])
    first, second = messages(caught)
    assert "keeps 0.0%" in first and "(epoch 1," in first
    assert "Class 2 is taking over" in second and "(epoch 2," in second


def test_a_weight_that_became_nan_behind_a_finite_loss_stops_the_fit():
    model = classifier([0, 0, 0, 0])
    hidden = keras.layers.Dense(3)
    model = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            hidden,
            # As ReLU does on some devices: NaN becomes 0.
            keras.layers.Lambda(lambda x: keras.ops.where(x > 0, x, 0.0)),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    hidden.kernel.assign(np.full((6, 3), np.nan))
    with pytest.raises(
        FloatingPointError, match=r"end of epoch 0.*loss is\s+finite.*kernel"
    ):
        model.fit(
            IMAGES[:20],
            np.arange(20) % 4,
            epochs=2,
            verbose=0,
            callbacks=[GuardRails()],
        )
