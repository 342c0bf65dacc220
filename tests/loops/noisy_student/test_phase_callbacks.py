import keras
import numpy as np
import pytest
from keras import callbacks as stock

import keras_fewlabels as kfl
from keras_fewlabels.loops.noisy_student.phase_callbacks import (
    callbacks_of_phases,
)
from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS, Phase
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    PhaseBackup,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*is taking over")
PHASES = [
    Phase("first", "supervised", 4),
    Phase("second", "noisy student", 4, teacher="average", generation=1),
]
IMAGES = np.random.default_rng(0).random((60, 4, 4, 1), "float32")


def model(rate=None):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    if rate is not None:
        model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def test_callbacks_are_a_list_or_made_for_each_phase():
    history = stock.History()
    titles = []

    def make(title):
        titles.append(title)
        return (history,)

    expected = {"first": [history], "second 1": [history]}
    assert callbacks_of_phases([history], PHASES, model()) == expected
    assert callbacks_of_phases(make, PHASES, model()) == expected
    assert titles == ["first", "second 1"]
    assert callbacks_of_phases(None, PHASES, model())["first"] == []


class OwnPlateau(stock.ReduceLROnPlateau):
    pass


REFUSED = {
    "no callback": (lambda: "history", "must be a list of Keras callbacks"),
    "BackupAndRestore": (lambda: stock.BackupAndRestore("b"), "`backup_dir`"),
    "ExactBackup": (lambda: kfl.callbacks.ExactBackup("b"), "`backup_dir`"),
    "SwapEMAWeights": (lambda: stock.SwapEMAWeights(), "average of the weig"),
    "LearningRateFinder": (
        lambda: kfl.callbacks.LearningRateFinder(),
        "`find_learning_rate`",
    ),
    "PseudoLabeler": (
        lambda: kfl.callbacks.PseudoLabeler(IMAGES),
        "pseudo-labels of its own",
    ),
    "ReduceLROnPlateau": (lambda: stock.ReduceLROnPlateau(), "the rate follow"),
    "a subclass": (OwnPlateau, "`OwnPlateau` sets the learning rate"),
    "LearningRateScheduler": (
        lambda: stock.LearningRateScheduler(lambda epoch: 0.1),
        "whose learning rate is a number",
    ),
    "CSVLogger": (lambda: stock.CSVLogger("a.csv"), "a file of its own"),
}
SCHEDULE = keras.optimizers.schedules.CosineDecay(0.1, 10)


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("rate", [None, SCHEDULE], ids=["loop", "schedule"])
def test_callbacks_that_cannot_work_are_refused(case, rate):
    make, message = case
    for callbacks in ([stock.History(), make()], [[make()]]):
        with pytest.raises(ValueError, match=message):
            callbacks_of_phases(callbacks, PHASES, model(rate))
    chosen = make()
    with pytest.raises(ValueError, match=message):
        callbacks_of_phases(lambda title: [chosen], PHASES, model(rate))


def test_callbacks_that_set_the_rate_need_a_rate_that_can_be_set():
    for make in (
        lambda: stock.ReduceLROnPlateau(),
        lambda: stock.LearningRateScheduler(lambda epoch: 0.1),
    ):
        callbacks_of_phases([make()], PHASES, model(0.1))


def test_a_csv_logger_for_each_phase_or_all_in_one():
    callbacks_of_phases(
        lambda title: [stock.CSVLogger(f"{title}.csv")], PHASES, model()
    )
    callbacks_of_phases(
        [stock.CSVLogger("a.csv", append=True)], PHASES, model()
    )
    callbacks_of_phases([stock.CSVLogger("a.csv")], PHASES[:1], model())


def stock_callbacks(folder, is_best=False):
    checkpoint = stock.ModelCheckpoint
    options = {"save_best_only": is_best, "monitor": "val_loss"}
    return [
        checkpoint(folder / "model.keras", **options),
        checkpoint(folder / "{epoch}.keras", **options),
        checkpoint(folder / "w.weights.h5", save_weights_only=True, **options),
        checkpoint(folder / "steps.keras", save_freq=2),
        stock.EarlyStopping(patience=1, restore_best_weights=True),
        stock.ReduceLROnPlateau(monitor="loss", patience=0, min_delta=9.0),
        stock.LearningRateScheduler(lambda epoch, rate: rate / 2),
        stock.CSVLogger(folder / "logs.csv"),
        stock.TensorBoard(folder / "logs", histogram_freq=1),
        stock.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        stock.TerminateOnNaN(),
        stock.History(),
        stock.ProgbarLogger(),
    ]


@pytest.mark.parametrize("kind", ["supervised", "noisy student"])
def test_stock_callbacks_work(small_phases, kind, tmp_path):
    loss = "sparse_categorical_crossentropy"
    student = small_phases.build(loss)
    phase = Phase("first", kind, 6)
    callbacks = stock_callbacks(tmp_path, is_best=True)
    callbacks = callbacks_of_phases(callbacks, [phase], student)
    if keras.backend.backend() != "tensorflow":
        callbacks["first"] = [
            each
            for each in callbacks["first"]
            if not isinstance(each, stock.TensorBoard)
        ]
    context = small_phases.context(
        phase,
        student,
        callbacks=callbacks["first"],
        layers=small_phases.quick_noise(),
        patience=9,
    )
    PHASE_KINDS[kind].train(context, PhaseBackup(None))
    for file in ("model.keras", "steps.keras", "1.keras"):
        loaded = keras.saving.load_model(tmp_path / file)
        # A classifier like the student, which can be trained further.
        assert loaded.predict(IMAGES, verbose=0).shape == (60, 3)
        assert len(loaded.trainable_weights) == len(student.trainable_weights)
        assert loaded.loss == loss
    weights = small_phases.build()
    weights.load_weights(tmp_path / "w.weights.h5")
    best = keras.saving.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(
        weights.get_weights(), best.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["supervised", "noisy student"])
def test_a_checkpoint_is_the_average_that_a_phase_ends_with(
    small_phases, kind, tmp_path
):
    student = small_phases.build()
    checkpoint = stock.ModelCheckpoint(tmp_path / "model.keras")
    context = small_phases.context(
        small_phases.phase(kind, 3),
        student,
        callbacks=[checkpoint],
        layers=small_phases.quick_noise(),
    )
    PHASE_KINDS[kind].train(context, PhaseBackup(None))
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(IMAGES, verbose=0),
        student.predict(IMAGES, verbose=0),
        atol=1e-5,
    )
