"""The network of USB, and models that train on images of the device.

`usb.py` measures them. They are for the JAX backend.
"""

import math

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.models.student.after_train_step import after_train_step

WEIGHT_DECAY, EMA_DECAY = 5e-4, 0.999


def wide_resnet(depth, width):
    """Returns a Wide ResNet as USB builds it, for images of any size.

    Args:
        depth: Int, 4 more than a multiple of 6.
        width: Int, how many times as wide as a ResNet.
    """

    def decay():
        # A part of the loss, as in PyTorch. The decay of Keras's optimizers
        # does not go through the momentum, and would be a tenth of this.
        return keras.regularizers.L2(WEIGHT_DECAY / 2)

    def convolution(x, filters, size=3, strides=1):
        return layers.Conv2D(
            filters,
            size,
            strides,
            padding="same",
            kernel_initializer=keras.initializers.VarianceScaling(
                2.0, "fan_out", "untruncated_normal"
            ),
            kernel_regularizer=decay(),
        )(x)

    def activated(x):
        x = layers.BatchNormalization(momentum=0.999, epsilon=1e-3)(x)
        return layers.LeakyReLU(0.1)(x)

    inputs = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, -1, dtype="float32")(inputs)
    x = convolution(x, 16)
    for stage in range(3):
        filters = 16 * width * 2**stage
        for block in range((depth - 4) // 6):
            strides = 2 if stage > 0 and block == 0 else 1
            y = activated(x)
            if block == 0:
                x = convolution(y, filters, 1, strides)
            y = activated(convolution(y, filters, 3, strides))
            x = layers.Add()([x, convolution(y, filters)])
    x = layers.GlobalAveragePooling2D()(activated(x))
    outputs = layers.Dense(
        10,
        kernel_initializer="glorot_normal",
        kernel_regularizer=decay(),
        dtype="float32",
    )(x)
    return keras.Model(inputs, outputs)


@keras.saving.register_keras_serializable("usb")
class PartOfCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Lowers the learning rate along 7 / 16 of half a wave, to a fifth.

    Args:
        rate: Float, the learning rate at first.
        num_steps: Int, the steps until the end.
    """

    def __init__(self, rate, num_steps):
        self.rate = rate
        self.num_steps = num_steps

    def __call__(self, step):
        share = keras.ops.cast(step, "float32") / self.num_steps
        return self.rate * keras.ops.cos(7 / 16 * math.pi * share)

    def get_config(self):
        return {"rate": self.rate, "num_steps": self.num_steps}


def pixels_of(numbers):
    """Writes numbers into the three bytes of images of one pixel.

    Args:
        numbers: Int array of shape `(num_images,)`, below `2 ** 24`.

    Returns:
        uint8 array of shape `(num_images, 1, 1, 3)`.
    """
    levels = np.stack([numbers >> 16, numbers >> 8, numbers], axis=-1)
    return (levels & 255).astype("uint8")[:, None, None]


def numbers_of(pixels):
    """Returns the numbers that `pixels_of` has written, an int32 tensor."""
    levels = pixels[:, 0, 0].astype("int32")
    return (levels[:, 0] << 16) + (levels[:, 1] << 8) + levels[:, 2]


class OnDevice:
    """Trains a model of the package on images that stay on the device.

    `fit()` takes the dataset of `data.mix_labeled_unlabeled`, made of
    `pixels_of` the numbers of the images. The steps of an execution are one
    program, which takes the images of these numbers before it augments them.
    After each step, `average` follows the student.

    Args:
        student: Built Keras model, for images of any size.
        images: uint8 array of shape `(num_images, height, width, channels)`.
        **kwargs: As for the model.
    """

    def __init__(self, student, images, **kwargs):
        super().__init__(student, **kwargs)
        # Not a weight, of which every backup would have a copy.
        self.images = jax.device_put(images)
        self.average = kfl.models.EMATeacher(EMA_DECAY)
        self.average.follow(student)

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        program = jax.jit(self.run_steps, donate_argnums=0)

        def execute(state, iterator):
            batches = [next(iterator) for _ in range(self.steps_per_execution)]
            return program(state, batches, self.images)

        self.train_function = execute

    def run_steps(self, state, batches, images):
        """Trains on one batch after the other.

        Args:
            state: Tuple of lists of arrays, as for `train_step`.
            batches: List of batches of the dataset.
            images: uint8 array of all images.

        Returns:
            The logs after the last step, and the state.
        """

        def step(state, batch):
            inputs, labels = batch
            shown = {
                part: images[numbers_of(inputs[part])]
                for part in ("labeled", "unlabeled")
            }
            result = self.train_step(state, ({**inputs, **shown}, labels))
            logs, state = after_train_step(
                self, result, lambda: self.average.update(self.student)
            )
            return state, logs

        stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *batches)
        state, logs = jax.lax.scan(step, state, stacked)
        return {name: values[-1] for name, values in logs.items()}, state


class FixMatch(OnDevice, kfl.models.FixMatch):
    """`FixMatch` on images of the device."""


class FreeMatch(OnDevice, kfl.models.FreeMatch):
    """`FreeMatch` on images of the device, with the fairness of USB."""

    def __init__(self, student, images, fairness_weight=0.001, **kwargs):
        super().__init__(
            student, images, fairness_weight=fairness_weight, **kwargs
        )
