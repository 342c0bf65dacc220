import dataclasses

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import RandAugment, StochasticDepth
from keras_fewlabels.loops.noisy_student.measure import measure_accuracy
from keras_fewlabels.loops.noisy_student.phase_data import (
    PhaseData,
    labeled_batches,
    mixed_batches,
)
from keras_fewlabels.loops.noisy_student.training.averaged_student import (
    AveragedStudent,
    SupervisedStudent,
)
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    PhaseBackup,
)
from keras_fewlabels.loops.noisy_student.training.fit_phase import fit_phase
from keras_fewlabels.loops.recalibrate_batch_norm import recalibrate_batch_norm
from keras_fewlabels.models import EMATeacher
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold
from keras_fewlabels.policies.parts import ClassScores, Sigmoids

# Models that have hardly begun favour one class or another.
pytestmark = pytest.mark.filterwarnings("ignore:.*is taking over")

RNG = np.random.default_rng(0)
IMAGES = RNG.random((40, 6, 6, 1), "float32")
LABELS = np.arange(40) % 2
IMAGES[LABELS == 1, :3] /= 4
ROWS = np.eye(2, dtype="float32")[LABELS]


def data_of(validation=True):
    return PhaseData(
        (IMAGES[:8], ROWS[:8]),
        (IMAGES[8:16], ROWS[8:16]) if validation else None,
        None,
        IMAGES[16:],
        0,
        None,
    )


def classifier():
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(3, 3, padding="same")(inputs)
    branch = keras.layers.BatchNormalization(momentum=0.75)(x)
    branch = keras.layers.Dropout(0.25)(branch)
    x = keras.layers.Add()([x, StochasticDepth(0.25)(branch)])
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(3)(x))
    return keras.Model(inputs, keras.layers.Dense(2)(x))


def shift():
    return RandAugment(1, 5, (0, 1), ops=("translate_x", "invert"))


def compiled(model, rate=0.02):
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def supervised(rate=0.02, noise=None):
    model = SupervisedStudent(classifier(), noise, EMATeacher(0.75))
    return compiled(model, rate), labeled_batches(data_of().labeled, 4, 3, 0)


def supervised_under_noise():
    return supervised(noise=shift())


def averaged_under_noise():
    policy = DistributionAlignment(FixedThreshold(0.5), momentum=0.75)
    # A run builds it, so that a backup has its weights.
    policy.build((None, 2))
    model = AveragedStudent(
        classifier(),
        None,
        0.75,
        policy=policy,
        noise=keras.Sequential([keras.layers.RandomFlip(), shift()]),
        weak_noise=keras.layers.GaussianNoise(0.25),
    )
    batches = mixed_batches(data_of().labeled, IMAGES[16:], (4, 6), 3, 0)
    return compiled(model), batches


class Fails(keras.callbacks.Callback):
    """Ends a fit in the middle of an epoch, as if it were killed."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_near = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_near and batch == 1:
            raise KeyboardInterrupt


def run(build, folder=None, fails_in=None, epochs=(5, 9), **arguments):
    model, batches = build()
    details = fit_phase(
        model,
        batches,
        epochs,
        arguments.pop("data", data_of()),
        ClassScores(True),
        PhaseBackup(folder),
        arguments.pop("patience", None),
        callbacks=[Fails(fails_in), *arguments.pop("callbacks", ())],
        class_weights=arguments.pop("class_weights", None),
    )
    return model, details


def state(model):
    return [
        keras.ops.convert_to_numpy(variable).copy()
        for variable in (*model.weights, *model.optimizer.variables)
    ]


def check_equal(model, other):
    for ours, theirs in zip(state(model), state(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "build", [supervised_under_noise, averaged_under_noise]
)
def test_a_phase_that_is_killed_ends_with_the_same_weights(build, tmp_path):
    keras.utils.set_random_seed(0)
    expected, details = run(build)
    assert (details["epochs"], details["steps"]) == (4, 12)
    lengths = {len(column) for column in details["history"].values()}
    assert lengths == {4}
    keras.utils.set_random_seed(0)
    with pytest.raises(KeyboardInterrupt):
        run(build, tmp_path, fails_in=7)
    # Other weights, and layers that would draw other numbers.
    keras.utils.set_random_seed(1)
    model, resumed = run(build, tmp_path)
    check_equal(model, expected)
    assert {**resumed, "seconds": 0} == {**details, "seconds": 0}
    assert len(list(tmp_path.glob("fit_backup_*.npz"))) == 1
    # Once more, killed after the last epoch.
    keras.utils.set_random_seed(2)
    model, resumed = run(build, tmp_path)
    check_equal(model, expected)
    assert {**resumed, "seconds": 0} == {**details, "seconds": 0}


class Epochs(keras.callbacks.Callback):
    """Remembers which epochs were run."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(epoch)


def test_patience_ends_a_phase_and_a_resumed_one_too(tmp_path):
    def watched():
        epochs = Epochs()
        _, details = run(
            # Nothing is learned, and statistics soon no longer change.
            lambda: supervised(rate=0.0),
            tmp_path,
            patience=2,
            epochs=(5, 30),
            callbacks=[epochs],
        )
        return epochs.seen, {**details, "seconds": None}

    seen, details = watched()
    losses = details["history"]["val_loss"]
    assert seen[0] == 5 and seen[-1] < 29
    assert details["epochs"] == len(losses) == len(seen)
    assert np.argmin(losses) == len(losses) - 3
    # One that was killed after its end has nothing left to do.
    assert watched() == ([], details)


class Stops(Epochs):
    """Ends a fit after the first step of an epoch, as if its time was up."""

    def on_train_batch_end(self, batch, logs=None):
        if len(self.seen) == 2:
            self.model.stop_training = True


def test_a_phase_that_was_stopped_is_not_trained_on(tmp_path):
    def stopped():
        stops = Stops()
        model, details = run(supervised, tmp_path, callbacks=[stops])
        return stops.seen, model, {**details, "seconds": None}

    seen, model, details = stopped()
    assert seen == [5, 6, 7]
    # Three steps in each of the first epochs.
    assert (details["epochs"], details["steps"]) == (3, 7)
    # One that was killed after its end has nothing left to do.
    seen, resumed, same = stopped()
    assert seen == [] and same == details
    check_equal(resumed, model)


def test_ends_with_the_last_average_and_clean_statistics():
    noise = keras.layers.GaussianNoise(0.25)
    model, details = run(
        lambda: supervised(noise=noise), data=data_of(validation=False)
    )
    assert details["best_epoch"] is None
    assert "val_loss" not in details["history"]
    average = model.average.model
    found = [np.array(part) for part in average.get_weights()]
    recalibrate_batch_norm(average, IMAGES[16:])
    for ours, theirs in zip(found, average.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def linear():
    """A classifier of nothing but the difference between two halves."""
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model = SupervisedStudent(model, None, EMATeacher(0.75))
    return compiled(model, rate=0.0), labeled_batches(
        data_of().labeled, 4, 1, 0
    )


class Weights(keras.callbacks.Callback):
    """Makes the model of each epoch as good as it should be."""

    def __init__(self, strengths):
        super().__init__()
        self.strengths = strengths

    def on_epoch_begin(self, epoch, logs=None):
        strength = self.strengths[epoch]
        kernel = np.zeros((36, 2))
        kernel[:18, 1], kernel[18:, 1] = -strength, strength
        for model in (self.model.student, self.model.average.model):
            model.set_weights([kernel, np.array([0.0, -3.5 * strength])])


@pytest.mark.parametrize(
    "strengths, best",
    [
        # Below 0 each image is given the other class.
        ({5: -1, 6: 2, 7: 3, 8: -4}, 6),
        ({5: 1, 6: -2, 7: -3, 8: -4}, 5),
        # The last is as good as any.
        ({5: -1, 6: 2, 7: -3, 8: 4}, None),
        ({5: -1, 6: -2, 7: -3, 8: -4}, None),
    ],
)
def test_the_best_epoch_counts_if_it_was_better(strengths, best):
    callbacks = [Weights(strengths)]
    model, details = run(linear, callbacks=callbacks)
    assert details["best_epoch"] == best
    assert details["history"]["val_accuracy"] == [
        float(strength > 0) for strength in strengths.values()
    ]
    (kernel, _) = model.average.model.get_weights()
    assert kernel[-1, 1] == strengths[8 if best is None else best]
    last = measure_accuracy(
        model.average.model, data_of().validation, ClassScores(True)
    )
    assert last["accuracy"] == max(details["history"]["val_accuracy"])


def test_callbacks_see_epochs_counted_on_and_the_validation():
    class Logs(keras.callbacks.Callback):
        seen = {}

        def on_epoch_end(self, epoch, logs=None):
            self.seen[epoch] = dict(logs)

    logs = Logs()
    _, details = run(supervised, callbacks=[logs])
    assert list(logs.seen) == [5, 6, 7, 8]
    for name, column in details["history"].items():
        assert column == [float(logs.seen[epoch][name]) for epoch in logs.seen]
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(
        details["history"]
    )


def test_classes_that_count_alike_in_training_and_validation():
    def step(class_weights):
        """Returns the losses of three labels of one class, one of another."""
        model = SupervisedStudent(linear()[0].student, None, EMATeacher(0.75))
        compiled(model, rate=0.0)
        rows = [0, 2, 4, 1]
        data = data_of()
        data = dataclasses.replace(
            data,
            labeled=(IMAGES[rows], ROWS[rows]),
            validation=(IMAGES[rows], ROWS[rows]),
        )
        batches = labeled_batches(data.labeled, 4, 1, 0)
        _, details = run(
            lambda: (model, batches),
            epochs=(0, 1),
            data=data,
            class_weights=class_weights,
        )
        losses = keras.losses.CategoricalCrossentropy(True, reduction=None)(
            ROWS[rows], model.student(IMAGES[rows])
        )
        return details["history"], keras.ops.convert_to_numpy(losses)

    history, losses = step(None)
    assert history["loss"] == pytest.approx([losses.mean()], rel=1e-5)
    history, losses = step(np.array([2 / 3, 2.0]))
    expected = (losses[:3].mean() + losses[3]) / 2
    assert history["loss"] == pytest.approx([expected], rel=1e-5)
    assert history["val_loss"] == pytest.approx([expected], rel=1e-5)


def test_of_several_labels_an_epoch_that_ranks_better_is_kept():
    scores = Sigmoids(True)
    model, batches = supervised()
    model.compile(
        keras.optimizers.Adam(0.02),
        scores.loss(),
        metrics=[scores.accuracy()],
    )
    average = model.average.model

    def spoil(logs=None):
        head = average.layers[-1]
        head.set_weights([-weight for weight in head.get_weights()])

    data = dataclasses.replace(data_of(), validation=(IMAGES[8:], ROWS[8:]))
    details = fit_phase(
        model,
        batches,
        (0, 8),
        data,
        scores,
        PhaseBackup(None),
        callbacks=[keras.callbacks.LambdaCallback(on_train_end=spoil)],
    )
    assert details["best_epoch"] is not None
    measured = measure_accuracy(average, data.validation, scores)
    assert measured["mean_average_precision"] > 0.9
