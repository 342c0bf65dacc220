import types

import keras
import numpy as np
import pytest

from keras_fewlabels.loops.noisy_student.phase_data import (
    labeled_batches,
    mixed_batches,
)
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    AveragedStudent,
    SupervisedStudent,
)
from keras_fewlabels.models import EMATeacher
from keras_fewlabels.policies import FixedThreshold

# Models that have hardly begun favour one class or another.
pytestmark = pytest.mark.filterwarnings("ignore:.*is taking over")

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(30, 3, 3, 1)).astype("float32")
LABELS = keras.utils.to_categorical(np.arange(30) % 3, 3)
LABELED = IMAGES[:9], LABELS[:9]


def classifier():
    return keras.Sequential(
        [
            keras.Input((3, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.75),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(3),
        ]
    )


def supervised(noise=None):
    return SupervisedStudent(classifier(), noise, EMATeacher(0.75))


def averaged(teacher=None):
    policy = FixedThreshold(0.0)
    return AveragedStudent(classifier(), teacher, 0.75, policy=policy)


def frozen_teacher():
    return averaged(teacher=classifier())


BUILDERS = [supervised, averaged, frozen_teacher]


def trained(model, num_steps=3, **arguments):
    model.compile(
        keras.optimizers.SGD(0.25),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    if isinstance(model, SupervisedStudent):
        batches = labeled_batches(LABELED, 4, num_steps, 0)
    else:
        batches = mixed_batches(LABELED, IMAGES[9:], (4, 6), num_steps, 0)
    model.fit(batches.dataset, shuffle=False, verbose=0, **arguments)
    return model


def copies(model):
    return [np.array(weight) for weight in model.get_weights()]


def differ(first, second):
    return [
        not np.array_equal(ours, theirs)
        for ours, theirs in zip(first, second, strict=True)
    ]


class Weights(keras.callbacks.Callback):
    """Remembers the student after each step."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        self.seen.append(copies(self.model.student))


@pytest.fixture(scope="module", params=BUILDERS)
def fitted(request):
    """A model after a fit, what it was before, and its student on the way."""
    keras.utils.set_random_seed(0)
    model, weights = request.param(), Weights()
    before = copies(model.student)
    teacher = getattr(model, "teacher", None)
    frozen = teacher if isinstance(teacher, keras.Model) else None
    teacher_before = None if frozen is None else copies(frozen)
    trained(
        model,
        num_steps=4,
        validation_data=(IMAGES[9:], LABELS[9:]),
        callbacks=[weights],
    )
    return types.SimpleNamespace(
        model=model,
        before=before,
        frozen_teacher=frozen,
        teacher_before=teacher_before,
        students=weights.seen,
    )


def test_the_average_follows_the_student_and_nobody_else_moves(fitted):
    model, expected = fitted.model, fitted.before
    assert all(differ(fitted.students[-1], expected))
    for step, student in enumerate(fitted.students):
        decay = min(0.75, (1 + step) / (10 + step))
        expected = [
            decay * average + (1 - decay) * weight
            for average, weight in zip(expected, student, strict=True)
        ]
    for ours, theirs in zip(copies(model.average.model), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    if fitted.frozen_teacher is not None:
        teacher = copies(fitted.frozen_teacher)
        assert not any(differ(teacher, fitted.teacher_before))
    elif isinstance(model, AveragedStudent):
        assert model.teacher is model.average


def test_the_average_judges_in_a_fit_and_after(fitted):
    images, labels = IMAGES[9:], LABELS[9:]
    model = fitted.model
    average = model.average.model
    of_average = average.predict(images, verbose=0)
    of_student = model.student.predict(images, verbose=0)
    assert np.abs(of_average - of_student).max() > 0.01
    np.testing.assert_allclose(
        model.predict(images, verbose=0), of_average, atol=1e-5
    )
    average.compile(loss=model.loss, metrics=["accuracy"])
    arguments = {"verbose": 0, "return_dict": True}
    expected = average.evaluate(images, labels, **arguments)
    found = model.evaluate(images, labels, **arguments)
    assert found == pytest.approx(expected, rel=1e-5)
    for name, value in expected.items():
        (logged,) = model.history.history[f"val_{name}"]
        assert logged == pytest.approx(value, rel=1e-5)


class Brightens(keras.layers.Layer):
    """Noise that adds so much that it shows."""

    def call(self, images, training=None):
        return images + 100.0 if training else images


def test_noise_is_for_the_student_alone():
    student = supervised(Brightens())
    noisy = keras.ops.convert_to_numpy(student(IMAGES, training=True))
    plain = supervised()
    plain.student.set_weights(student.student.get_weights())
    assert noisy.std() != pytest.approx(
        keras.ops.convert_to_numpy(plain(IMAGES, training=True)).std(), rel=0.1
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(student(IMAGES, training=False)),
        student.average.model.predict(IMAGES, verbose=0),
        atol=1e-5,
    )


def test_only_the_student_is_trained():
    for build in BUILDERS:
        model = build()
        assert len(model.trainable_variables) == 6
        trainable = {id(v) for v in model.trainable_variables}
        assert trainable == {id(v) for v in model.student.trainable_variables}


def test_a_supervised_loss_that_is_no_number_ends_the_fit():
    model = supervised()
    # At the end of the network: a ReLU may take NaN for zero.
    head = model.student.layers[-1]
    head.bias.assign([np.nan, 0.0, 0.0])
    with pytest.raises(FloatingPointError, match="NaN or infinite since"):
        trained(model)


def test_a_student_that_was_not_built_is_refused():
    with pytest.raises(ValueError, match="student must be built"):
        AveragedStudent(keras.Sequential([keras.layers.Dense(2)]), None, 0.5)
    expected = r"`decay` must be a number in \[0, 1\)"
    with pytest.raises(ValueError, match=expected):
        AveragedStudent(classifier(), None, 1.0)


def test_frozen_layers_are_left_out_until_they_train():
    model, given = supervised(), []
    update = model.average.update
    model.average.update = lambda student, changed, has_stepped: (
        given.append(changed) or update(student, changed)
    )
    ids = list(map(id, model.student.weights))
    dense = model.student.layers[:2]
    for layer in model.student.layers[:3]:
        layer.trainable = False
    before = copies(model.student)
    trained(model)
    assert set(given[-1]) == set(ids[-2:])
    now = copies(model.average.model)
    assert differ(before, now) == [False] * 6 + [True] * 2
    assert differ(copies(model.student), now) == [False] * 6 + [True] * 2
    for layer in dense:
        layer.trainable = True
    trained(model)
    for layer in dense:
        layer.trainable = False
    trained(model)
    # What has trained goes on to be averaged when it is frozen again.
    assert set(given[-1]) == set(ids[:2] + ids[-2:])
