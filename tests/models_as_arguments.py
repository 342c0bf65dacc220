"""Models that public functions must take as they are, or refuse."""

import keras
import numpy as np
from keras import layers

SHAPE = (32, 32, 1)


def tensors(scale=1.0, ends=("softmax",)):
    """Inputs and outputs of a net with a residual branch and a last Dense."""
    images = keras.Input(SHAPE)
    x = layers.Rescaling(scale)(images)
    x = layers.AveragePooling2D(8, name="features")(x)
    x = layers.Flatten()(x)
    x = layers.Add()([x, layers.Dense(16)(x)])
    heads = [layers.Dense(3, activation=end)(x) for end in ends]
    return images, heads[0] if len(heads) == 1 else heads


def compiled(model, loss="sparse_categorical_crossentropy"):
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return model


def plain(scale=1.0):
    return compiled(keras.Model(*tensors(scale)))


class Task(keras.Model):
    """A model that preprocesses as the tasks of keras-hub do."""

    def __init__(self):
        images, scores = tensors()
        super().__init__(inputs=images, outputs=scores)
        self.preprocessor = layers.Rescaling(1 / 255)

    def prepared(self, images):
        if self.preprocessor is None:
            return images
        return keras.ops.convert_to_numpy(self.preprocessor(images))

    def predict(self, x, **kwargs):
        # Like keras-hub's, it takes arrays, but no `PyDataset`.
        return super().predict(self.prepared(x), **kwargs)

    def fit(self, x, y=None, **kwargs):
        return super().fit(self.prepared(x), y, **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        return super().train_on_batch(self.prepared(x), *args, **kwargs)


class Steps(keras.Model):
    """A model that preprocesses in its own steps."""

    def __init__(self):
        images, scores = tensors()
        super().__init__(inputs=images, outputs=scores)

    def scaled(self, args):
        *state, data = args
        is_tuple = isinstance(data, (tuple, list))
        images, *rest = data if is_tuple else (data,)
        images = keras.ops.cast(images, "float32") / 255
        return *state, (images, *rest) if is_tuple else images

    def train_step(self, *args):
        return super().train_step(*self.scaled(args))

    def test_step(self, *args):
        return super().test_step(*self.scaled(args))

    def predict_step(self, *args):
        return super().predict_step(*self.scaled(args))


class OwnTrainStep(keras.Model):
    """A model that preprocesses in training alone."""

    train_step = Steps.train_step
    scaled = Steps.scaled


def two_inputs():
    images, scores = tensors()
    other = keras.Input((3,))
    return keras.Model([images, other], layers.Add()([scores, other]))


def dict_of_outputs():
    images, scores = tensors()
    return compiled(keras.Model(images, {"scores": scores}), None)


# Models that no function can call as a classifier of images.
REFUSED = {
    "preprocesses as keras-hub": (lambda: compiled(Task()), "other scores"),
    "preprocesses in its steps": (lambda: compiled(Steps()), "other scores"),
    "two outputs": (
        lambda: keras.Model(*tensors(ends=("softmax", "softmax"))),
        "must have one output",
    ),
    "dict of outputs": (dict_of_outputs, "must have one output"),
    "two inputs": (two_inputs, "take images and nothing else"),
}
RNG = np.random.default_rng(0)
LABELS = np.arange(12) % 3
# Of a few large squares, so that means of regions differ.
IMAGES = RNG.integers(0, 256, (24, 4, 4, 1)).astype("uint8")
IMAGES = IMAGES.repeat(8, axis=1).repeat(8, axis=2)
