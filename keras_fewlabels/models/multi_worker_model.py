import keras

from keras_fewlabels.foundation import MultiWorkerFixes


class MultiWorkerModel(MultiWorkerFixes, keras.Model):
    """A model that `MultiWorkerMirroredStrategy` can train.

    Subclasses of `keras.Model` fail there with Keras 3.15, for two reasons:
    Keras builds the model from a batch that is spread over the workers, and
    joins the logs of the workers along an axis that scalars do not have. Under
    every other strategy, and on the other backends, this class does nothing
    else than `keras.Model`.

    Raises:
        ValueError: As `keras.Model`.

    Example:

    >>> class Classifier(keras_fewlabels.models.MultiWorkerModel):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.head = keras.layers.Dense(3, activation="softmax")
    ...     def call(self, images):
    ...         return self.head(keras.ops.mean(images, axis=(1, 2)))
    >>> Classifier()(np.ones((2, 4, 4, 1))).shape[-1]
    3
    """
