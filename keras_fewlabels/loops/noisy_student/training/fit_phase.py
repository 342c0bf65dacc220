"""The training of a model in one phase of a run."""

import numpy as np

from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.data.checks import class_numbers
from keras_fewlabels.evaluation.verdicts import compare_precisions
from keras_fewlabels.foundation import batch_size_for
from keras_fewlabels.loops.noisy_student.measure import (
    measure_accuracy,
    predict,
)
from keras_fewlabels.loops.noisy_student.training.best_average import (
    BestAverage,
    WatchValidation,
)
from keras_fewlabels.loops.recalibrate_batch_norm import recalibrate_batch_norm
from keras_fewlabels.models.student.student_model import create_variables


def fit_phase(
    model,
    batches,
    epochs,
    data,
    scores,
    backup,
    patience=None,
    callbacks=(),
    recalibrates=True,
    class_weights=None,
):
    """Fits a model, whose average ends with the weights to go on with.

    These are the last ones, unless those of the best epoch were better by
    more than a standard error. Statistics of batch normalization are warmed
    up before and recalculated after, unless they are those of a model that
    comes trained.

    Args:
        model: Compiled `SupervisedStudent` or `AveragedStudent`.
        batches: `EpochBatches`.
        epochs: Pair of ints, the first epoch and the one to end before.
        data: `PhaseData`.
        scores: `ClassScores`, the kind of scores of the model.
        backup: `PhaseBackup`.
        patience: Optional int, as for `WatchValidation`.
        callbacks: Sequence of Keras callbacks.
        recalibrates: Boolean, whether the statistics of batch normalization
            are calculated anew.
        class_weights: Optional float array `(num_classes,)`, how much the
            labelled images of each class count. The validation images of all
            classes then count alike.

    Returns:
        Dict for JSON of `epochs`, `steps`, `out_of_time`, `seconds`,
        `best_epoch` and `history`.
    """
    average = model.average.model
    model.best = BestAverage(average)
    images, labels = (part[:2] for part in data.labeled)
    create_variables(model, labels, model(images, training=False))
    first_epoch = backup.resume(model)
    if first_epoch is None:
        first_epoch = epochs[0]
        for network in (model.student, average) if recalibrates else ():
            recalibrate_batch_norm(network, data.clean_images)
    # A phase that was killed at its end has nothing left to train.
    if not backup.has_stopped:
        model.fit(
            batches.dataset,
            initial_epoch=first_epoch,
            epochs=epochs[1],
            validation_data=_validation(data, class_weights),
            class_weight=None
            if class_weights is None
            else dict(enumerate(map(float, class_weights))),
            validation_batch_size=batch_size_for(data.labeled[0].shape[1:]),
            shuffle=False,
            callbacks=[
                SeedEpochs(data.seed, batches.order),
                WatchValidation(patience),
                *callbacks,
                backup,
            ],
            # One of the callbacks shows the progress of all phases.
            verbose=0,
        )
    if recalibrates:
        recalibrate_batch_norm(average, data.clean_images)
    best_epoch = _choose_weights(
        model,
        data,
        scores,
        "accuracy" if class_weights is None else "balanced_accuracy",
    )
    if recalibrates and best_epoch is not None:
        recalibrate_batch_norm(average, data.clean_images)
    return {
        "epochs": len(backup.history),
        "steps": sum(backup.steps.values()),
        "out_of_time": backup.out_of_time,
        "seconds": sum(backup.seconds.values()),
        "best_epoch": best_epoch,
        "history": _columns(backup.history),
    }


def _validation(data, class_weights):
    """Returns the validation images, with weights if classes count alike."""
    if data.validation is None or class_weights is None:
        return data.validation
    images, labels = data.validation
    classes = class_numbers(labels)
    counts = np.bincount(classes, minlength=len(class_weights))
    weights = len(classes) / np.maximum(1, counts) / np.sum(counts > 0)
    return images, labels, weights[classes].astype("float32")


def _choose_weights(model, data, scores, figure):
    """Chooses the weights of the average. Returns their epoch if it is best."""
    average, best = model.average.model, model.best
    if data.validation is None:
        return None
    if not scores.one_true:
        is_better = _ranks_better(average, best, data.validation, scores)
    else:
        last = measure_accuracy(average, data.validation, scores)
        is_better = best.is_better_than(last[figure], last["num_images"])
    if not is_better:
        return None
    best.restore(average)
    return int(best["epoch"])


def _ranks_better(average, best, validation, scores):
    """Returns whether the best epoch ranks images better by their labels.

    Of several labels the epoch with the most right decisions may still rank
    images worse, so its mean average precision must be better by more than a
    standard error.
    """
    images, labels = validation
    if best["epoch"] < 0:
        return False
    last, weights = predict(average, images, scores), average.get_weights()
    best.restore(average)
    verdict = compare_precisions(last, predict(average, images, scores), labels)
    average.set_weights(weights)
    return verdict is not None and verdict.difference > verdict.error


def _columns(history):
    """Returns logs by epoch as a dict of names to lists."""
    names = dict.fromkeys(name for logs in history.values() for name in logs)
    return {
        name: [logs.get(name) for _, logs in sorted(history.items())]
        for name in names
    }
