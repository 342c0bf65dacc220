"""One phase of a fit loop: a model is fitted, and what came of it is told."""

from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.loops.noisy_student.best_average import (
    BestAverage,
    WatchValidation,
)
from keras_fewlabels.loops.noisy_student.score import score
from keras_fewlabels.loops.recalibrate_batch_norm import recalibrate_batch_norm


def run_phase(model, feed, epochs, data, backup, patience=None, callbacks=()):
    """Fits a model and leaves its average with the weights to go on with.

    Those are the last, unless those of the best epoch were better beyond
    chance. Statistics of batch normalization are warmed up before and
    recalculated after.

    Args:
        model: Compiled `SupervisedStudent` or `AveragedStudent`.
        feed: `Feed` of an epoch.
        epochs: Pair of ints, the first epoch and the one to end before.
        data: `PhaseData`.
        backup: `PhaseBackup`.
        patience: Optional int, as for `WatchValidation`.
        callbacks: Sequence of Keras callbacks.

    Returns:
        Dict, what the report says of the phase.
    """
    average = model.average.model
    model.best = BestAverage(average)
    _create_variables(model, data.labeled)
    watch = WatchValidation(patience)
    first_epoch = backup.resume(model)
    if first_epoch is None:
        first_epoch = epochs[0]
        for network in (model.student, average):
            recalibrate_batch_norm(network, data.clean_images)
    # One that was killed at its end has nothing left to do.
    if not watch.has_settled(model, first_epoch - 1):
        model.fit(
            feed.dataset,
            initial_epoch=first_epoch,
            epochs=epochs[1],
            validation_data=data.validation,
            validation_batch_size=256,
            shuffle=False,
            callbacks=[
                SeedEpochs(data.seed, feed.order),
                watch,
                *callbacks,
                backup,
            ],
            # One of the callbacks tells the progress of all phases.
            verbose=0,
        )
    best_epoch = _choose_weights(model, data)
    return {
        "epochs": len(backup.history),
        "steps": len(backup.history) * feed.num_steps,
        "seconds": sum(backup.seconds.values()),
        "best_epoch": best_epoch,
        "history": _columns(backup.history),
    }


def _create_variables(model, labeled):
    """Builds optimizer, loss and metrics.

    TensorFlow traces a step twice if it creates variables.
    """
    images, labels = (part[:2] for part in labeled)
    predictions = model(images, training=False)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(images, labels, predictions, training=False)
    model.compute_metrics(images, labels, predictions)
    model.reset_metrics()


def _choose_weights(model, data):
    """Settles the weights of the average; the epoch they are of, or None."""
    average, best = model.average.model, model.best
    recalibrate_batch_norm(average, data.clean_images)
    if data.validation is None:
        return None
    last = score(average, data.validation, data.from_logits)
    if not best.is_better_than(last["accuracy"], last["num_images"]):
        return None
    best.restore(average)
    recalibrate_batch_norm(average, data.clean_images)
    return int(best["epoch"])


def _columns(history):
    """Dict of epochs to logs as a dict of names to lists."""
    names = dict.fromkeys(name for logs in history.values() for name in logs)
    return {
        name: [logs.get(name) for _, logs in sorted(history.items())]
        for name in names
    }
