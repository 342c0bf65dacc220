"""The weights that a phase of training ends with."""

import math

import keras
from keras import ops


class BestAverage(keras.layers.Layer):
    """Keeps the averaged weights of the epoch that validated best.

    The state is in variables, which are backed up with the model, so that a
    resumed fit remembers the best epoch before it.

    Args:
        average: Built Keras model, whose weights are kept.
    """

    def __init__(self, average):
        super().__init__(trainable=False, dtype="float32")
        self.kept = [
            self.add_weight(
                shape=weight.shape,
                dtype=weight.dtype,
                initializer="zeros",
                trainable=False,
                name=f"kept_{number}",
            )
            for number, weight in enumerate(average.weights)
        ]
        self.records = {
            name: self.add_weight(
                shape=(),
                initializer=keras.initializers.Constant(value),
                trainable=False,
                name=name,
            )
            for name, value in (
                ("accuracy", -1.0),
                ("epoch", -1.0),
                ("lowest_loss", math.inf),
                ("lowest_loss_epoch", -1.0),
            )
        }
        self.built = True

    def __getitem__(self, name):
        return float(ops.convert_to_numpy(self.records[name]))

    def note_epoch(self, average, epoch, accuracy, loss):
        """Notes an epoch, and its weights if they are the best so far."""
        if loss < self["lowest_loss"]:
            self.records["lowest_loss"].assign(loss)
            self.records["lowest_loss_epoch"].assign(epoch)
        if accuracy > self["accuracy"]:
            self.records["accuracy"].assign(accuracy)
            self.records["epoch"].assign(epoch)
            for kept, weight in zip(self.kept, average.weights, strict=True):
                # A copy, because JAX donates each buffer of a model once.
                kept.assign(ops.copy(weight))

    def is_better_than(self, accuracy, num_images):
        """Returns whether the best epoch beats an accuracy beyond chance.

        That is by more than one standard error of an accuracy on `num_images`
        images. Otherwise the best of many epochs is only the luckiest.
        """
        best = self["accuracy"]
        return best - accuracy > math.sqrt(best * (1 - best) / num_images)

    def restore(self, average):
        """Gives a model the weights of the best epoch."""
        for kept, weight in zip(self.kept, average.weights, strict=True):
            weight.assign(ops.copy(kept))


class WatchValidation(keras.callbacks.Callback):
    """Remembers the best epoch and ends a fit whose validation has settled.

    The model that is trained has a `BestAverage` as `best`.

    Args:
        patience: Optional int, epochs without a lower validation loss after
            which the fit ends.
    """

    def __init__(self, patience=None):
        super().__init__()
        self.patience = patience

    def on_epoch_end(self, epoch, logs=None):
        if "val_loss" not in (logs or {}):
            return
        best = self.model.best
        best.note_epoch(
            self.model.average.model,
            epoch,
            float(logs["val_accuracy"]),
            float(logs["val_loss"]),
        )
        lowest = best["lowest_loss_epoch"]
        if self.patience is None or lowest < 0:
            return
        if epoch - lowest >= self.patience:
            self.model.stop_training = True
