"""The part of one process in labelling, where several train one model."""

import functools

import keras
import numpy as np
from keras import ops

from keras_fewlabels.foundation import predict_array


def labeling_worker(model):
    """Returns the role of this process among those that train a model.

    Args:
        model: The Keras model that labels.

    Returns:
        An `OnlyWorker`, `MirroredWorker` or `JAXWorker`.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        strategy = model.distribute_strategy
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return MirroredWorker(model, strategy)
    if backend == "jax":
        import jax

        if jax.process_count() > 1:
            return JAXWorker(model)
    return OnlyWorker(model)


class OnlyWorker:
    """A process that labels all images by itself.

    A strategy of one process, such as `MirroredStrategy`, spreads every
    prediction over its devices.

    Args:
        model: The Keras model that labels.

    Attributes:
        index: Int, the number of this worker.
        count: Int, how many workers there are.
    """

    index, count = 0, 1

    def __init__(self, model):
        self.model = model

    def predict(self, images, batch_size):
        """Returns the outputs of the model for images of this worker alone.

        Args:
            images: Array of images.
            batch_size: Int, images per batch.

        Returns:
            Array of shape `(num_images, ...)`.
        """
        return predict_array(self.model, images, batch_size)

    def gather(self, rows):
        """Returns the rows of all workers, one after the other, as an array.

        All workers must call it equally often. They may have different
        numbers of rows.
        """
        return rows


class MirroredWorker(OnlyWorker):
    """One of the processes of a `MultiWorkerMirroredStrategy`.

    `Model.predict` would divide each batch among the workers. Here every
    worker predicts its own batches.

    Args:
        model: The Keras model that labels, built in the strategy's scope.
        strategy: The `MultiWorkerMirroredStrategy`.
    """

    def __init__(self, model, strategy):
        super().__init__(model)
        self.strategy = strategy
        num_local = len(strategy.extended.worker_devices)
        self.count = strategy.num_replicas_in_sync // num_local
        numbers = []
        self._of_replicas(lambda number: numbers.append(number) or number)
        self.index = min(numbers) // num_local
        self._first_replica = min(numbers)

    def predict(self, images, batch_size):
        return np.concatenate(
            [
                self.strategy.experimental_local_results(self._step(batch))[0]
                for batch in _batches(images, batch_size)
            ]
        )

    def gather(self, rows):
        # The first replica of a worker contributes its rows, others none.
        parts = self._of_replicas(
            lambda number: rows[: len(rows) * (number == self._first_replica)]
        )
        return ops.convert_to_numpy(self.strategy.gather(parts, axis=0))

    @functools.cached_property
    def _step(self):
        import tensorflow as tf

        # A replica reads its variables without the other workers.
        predict = functools.partial(self.model, training=False)
        return tf.function(
            lambda images: self.strategy.run(predict, args=(images,)),
            reduce_retracing=True,
            # Keras's layers need no rewriting, which takes seconds.
            autograph=False,
        )

    def _of_replicas(self, value):
        import tensorflow as tf

        return self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.convert_to_tensor(
                value(context.replica_id_in_sync_group)
            )
        )


class JAXWorker(OnlyWorker):
    """One of several JAX processes that hold the same weights.

    Args:
        model: The Keras model that labels.
    """

    def __init__(self, model):
        import jax

        super().__init__(model)
        self.index, self.count = jax.process_index(), jax.process_count()

    def predict(self, images, batch_size):
        # With the global arrays of the weights, all processes would have to
        # take part in the step.
        weights = [
            [np.asarray(v.value.addressable_data(0)) for v in variables]
            for variables in (
                self.model.trainable_variables,
                self.model.non_trainable_variables,
            )
        ]
        return np.concatenate(
            [
                self._step(*weights, ops.convert_to_numpy(batch))
                for batch in _batches(images, batch_size)
            ]
        )

    def gather(self, rows):
        from jax.experimental import multihost_utils

        # Processes can only exchange arrays of the same shape.
        sizes = multihost_utils.process_allgather(np.array(len(rows)))
        padded = np.zeros((sizes.max(), *rows.shape[1:]), rows.dtype)
        padded[: len(rows)] = rows
        parts = multihost_utils.process_allgather(padded)
        return np.concatenate(
            [part[:size] for part, size in zip(parts, sizes, strict=True)]
        )

    @functools.cached_property
    def _step(self):
        import jax

        return jax.jit(
            lambda trainable, non_trainable, images: self.model.stateless_call(
                trainable, non_trainable, images, training=False
            )[0]
        )


def _batches(images, batch_size):
    return np.split(images, range(batch_size, len(images), batch_size))
