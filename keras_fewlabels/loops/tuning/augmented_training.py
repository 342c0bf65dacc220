import keras

from keras_fewlabels.data.checks import check_labels, is_one_hot
from keras_fewlabels.foundation import (
    check_called,
    check_one_input,
    compile_settings,
    essential_config,
    fingerprint,
)
from keras_fewlabels.layers.rand_augment import RandAugment


class AugmentedTraining:
    """Trains models that differ in nothing but their RandAugment.

    Args:
        build_model: Function that returns a new compiled Keras model.
        labeled: Pair of arrays, images and labels.
        validation_data: Pair of arrays.
        epochs: Int.
        batch_size: Int.
        seed: Int, set before each model is built.
        options: Dict of further arguments of `RandAugment`.

    Raises:
        ValueError: If the model is not compiled with an accuracy, has a train
            step of its own, or is not new each time, or if labels are not
            classes of the model.

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
    >>> training.measure_accuracy(num_ops=2, magnitude=9)
    1.0
    """

    def __init__(
        self,
        build_model,
        labeled,
        validation_data,
        epochs,
        batch_size,
        seed,
        options,
    ):
        self._build_model = build_model
        self._labeled = labeled
        self._validation_data = validation_data
        self._epochs = epochs
        self._batch_size = batch_size
        self._seed = seed
        self._options = options
        model = self._new_model(0, 0, labeled[0][:2])
        self._initial_weights = fingerprint(model.get_weights())
        self._optimizer = essential_config(model.optimizer)
        _check_classes(model, labeled, "labeled")
        _check_classes(model, validation_data, "validation_data")
        _check_metrics(model, labeled)

    def measure_accuracy(self, num_ops, magnitude):
        """Trains a new model under RandAugment, and measures its accuracy.

        Returns:
            Float in 0 to 1, the accuracy on the validation data after the
            last epoch.
        """
        model = self._new_model(num_ops, magnitude)
        if fingerprint(model.get_weights()) != self._initial_weights:
            raise ValueError(
                "Every trial must start from the same weights. Build all "
                "layers, also a backbone, inside of `build_model`, and load "
                "weights there. Received: other weights than at the first call"
            )
        options = {"batch_size": self._batch_size, "verbose": 0}
        model.fit(*self._labeled, epochs=self._epochs, **options)
        results = model.evaluate(
            *self._validation_data, return_dict=True, **options
        )
        return float(results["accuracy"])

    def to_dict(self):
        """Returns all that decides on the accuracies, as JSON can hold it."""
        return {
            "data": fingerprint(self._labeled, self._validation_data),
            "initial weights": self._initial_weights,
            "optimizer": self._optimizer,
            "epochs": self._epochs,
            "batch_size": self._batch_size,
            "seed": self._seed,
            "backend": keras.backend.backend(),
            **essential_config(self._options),
        }

    def _new_model(self, num_ops, magnitude, images=None):
        keras.utils.set_random_seed(self._seed)
        model = self._build_model()
        _check_model(model)
        if images is not None:
            check_one_input(model, "model")
            check_called(model, "model", images)
        options = {**self._options, "ops": _copy_ops(self._options["ops"])}
        augment = RandAugment(num_ops, magnitude, seed=self._seed, **options)
        shape = self._labeled[0].shape[1:]
        augmented = keras.Sequential([keras.Input(shape), augment, model])
        # The same optimizer, loss and metrics, not copies made from configs.
        settings = {**compile_settings(model), "optimizer": model.optimizer}
        augmented.compile(**settings)
        return augmented


def _copy_ops(ops):
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
            "RandAugment is put in front of the model, in a new model that "
            "would not call a train step of your own. Return the classifier "
            "alone, compiled. "
            f"Received: a model of class {type(model).__name__}"
        )


def _check_classes(model, data, argument):
    num_classes = model.output_shape[-1]
    # A model with one output is a binary classifier.
    if num_classes > 1 and not is_one_hot(data[1]):
        check_labels(data[1], f"labels of {argument}", num_classes=num_classes)


def _check_metrics(model, data):
    first = (array[:1] for array in data)
    metrics = model.test_on_batch(*first, return_dict=True)
    if "accuracy" not in metrics:
        raise ValueError(
            "Settings are compared by their accuracy. Compile with "
            f'`metrics=["accuracy"]`. Received: metrics={list(metrics)}'
        )
