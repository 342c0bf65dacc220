import zlib

import keras
import numpy as np

from keras_fewlabels.data.checks.labels import check_labels, is_one_hot
from keras_fewlabels.layers.rand_augment import RandAugment


class AugmentedTraining:
    """Trains models that differ in nothing but their RandAugment.

    Args:
        build_model: Function that returns a new compiled Keras model.
        train: Pair of arrays, images and labels.
        validation: Pair of arrays.
        epochs: Int.
        batch_size: Int.
        seed: Int, set before each model is built.
        options: Dict of further arguments of `RandAugment`.

    Raises:
        ValueError: If the model is not compiled with an accuracy, has its
            own train step, or is not new each time.

    Example:

    >>> from keras_fewlabels.loops.tuning.augmented_training import (
    ...     AugmentedTraining,
    ... )
    >>> def build_model():
    ...     model = keras.Sequential([keras.Input((4, 4, 1))])
    ...     model.add(keras.layers.Flatten())
    ...     model.add(keras.layers.Dense(1, activation="sigmoid"))
    ...     model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> data = np.zeros((8, 4, 4, 1)), np.zeros((8, 1))
    >>> options = {"ops": ["rotate"]}
    >>> training = AugmentedTraining(build_model, data, data, 1, 4, 0, options)
    >>> training.accuracy_of(num_ops=2, magnitude=9)
    1.0
    """

    def __init__(
        self, build_model, train, validation, epochs, batch_size, seed, options
    ):
        self._build_model = build_model
        self._train = train
        self._validation = validation
        self._epochs = epochs
        self._batch_size = batch_size
        self._seed = seed
        self._options = options
        model = self._new_model(0, 0)
        self._start = _checksum(model.get_weights())
        self._optimizer = model.optimizer
        _check_labels(model, train, "y")
        _check_labels(model, validation, "labels of validation_data")
        _check_metrics(model, train)

    def accuracy_of(self, num_ops, magnitude):
        """The accuracy on the validation data after the last epoch."""
        model = self._new_model(num_ops, magnitude)
        if _checksum(model.get_weights()) != self._start:
            raise ValueError(
                "Every trial must start from the same weights. Build all "
                "layers, also a backbone, inside of `build_model`, and load "
                "weights there. Received: other weights than at the first call"
            )
        settings = {"batch_size": self._batch_size, "verbose": 0}
        model.fit(*self._train, epochs=self._epochs, **settings)
        return model.evaluate(*self._validation, return_dict=True, **settings)[
            "accuracy"
        ]

    def description(self):
        """Returns a dict for JSON of all that decides on accuracies."""
        return {
            "data": _checksum([*self._train, *self._validation]),
            "initial weights": self._start,
            "optimizer": _described(self._optimizer),
            "epochs": self._epochs,
            "batch_size": self._batch_size,
            "seed": self._seed,
            "backend": keras.backend.backend(),
            **_described(self._options),
        }

    def _new_model(self, num_ops, magnitude):
        keras.utils.set_random_seed(self._seed)
        model = self._build_model()
        _check_model(model)
        options = {**self._options, "ops": _new_ops(self._options.get("ops"))}
        augment = RandAugment(num_ops, magnitude, seed=self._seed, **options)
        shape = self._train[0].shape[1:]
        augmented = keras.Sequential([keras.Input(shape), augment, model])
        # The same optimizer, loss and metrics, not copies made from configs.
        settings = dict(model._compile_config.config)
        augmented.compile(**{**settings, "optimizer": model.optimizer})
        return augmented


def _new_ops(ops):
    # A layer among them would go on where the last trial ended.
    return ops and [
        type(op).from_config(op.get_config())
        if isinstance(op, keras.layers.Layer)
        else op
        for op in ops
    ]


def _check_model(model):
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "`build_model` must return a Keras model that is compiled. "
            f"Received: {model!r}"
        )
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(
            "A model with a train step of its own would be trained without "
            "it, as RandAugment is put in front. Return the classifier alone, "
            f"compiled. Received: a model of class {type(model).__name__}"
        )


def _check_labels(model, data, argument):
    num_classes = model.output_shape[-1]
    # One output is a binary classifier or no classifier at all.
    if num_classes > 1 and not is_one_hot(data[1]):
        check_labels(data[1], argument, num_classes=num_classes)


def _check_metrics(model, data):
    first = (array[:1] for array in data)
    metrics = model.test_on_batch(*first, return_dict=True)
    if "accuracy" not in metrics:
        raise ValueError(
            "Settings are compared by their accuracy. Compile with "
            f'`metrics=["accuracy"]`. Received: metrics={list(metrics)}'
        )


def _described(part):
    def without_names(config):
        if isinstance(config, dict):
            # Keras numbers what has no name by how many there were before.
            items = config.items()
            return {k: without_names(v) for k, v in items if k != "name"}
        if isinstance(config, list | tuple):
            return [without_names(value) for value in config]
        return config

    return without_names(keras.saving.serialize_keras_object(part))


def _checksum(arrays):
    checksum = 0
    for array in arrays:
        head = f"{array.shape}{array.dtype}".encode()
        checksum = zlib.crc32(head, checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return checksum
