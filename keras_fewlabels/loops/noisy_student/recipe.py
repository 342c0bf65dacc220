"""What a phase is made of."""

import dataclasses

import keras

from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.loops.noisy_student.task import Task
from keras_fewlabels.models.copy_model import copy_model
from keras_fewlabels.models.methods import augmented_views
from keras_fewlabels.models.stochastic_depth import add_stochastic_depth
from keras_fewlabels.policies.distribution_alignment import (
    DistributionAlignment,
)
from keras_fewlabels.policies.fixed_threshold import FixedThreshold


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Students, views and policies as the settings describe them.

    Args:
        task: `Task`.
        settings: Dict of all settings.
        layers: Dict of what takes the place of the settings' own: `policy`,
            `noise`, `weak_noise`; `None` for those that do not.
    """

    task: Task
    settings: dict
    layers: dict

    def check(self, student):
        """Refuses settings that do not fit the images or the model.

        Args:
            student: Keras model as those to train.

        Raises:
            ValueError: If there are such settings.
        """
        for name in ("strong", "weak"):
            self.view(name)
        if self.settings["low_resolution"]:
            check_any_size(student, self.task.labeled[0])
        if self.settings["stochastic_depth"]:
            self.copy_of(student, True)

    @property
    def ema_decay(self):
        """Float, the decay of the averages of weights."""
        decay = self.settings["ema_decay"]
        if decay is None:
            # Looks back over a twentieth of the student's steps.
            decay = 1 - 20 / self.settings["student_steps"]
            decay = min(max(0.9, decay), 0.9995)
        return decay

    def at_full_resolution(self):
        """The same recipe for images as they are."""
        settings = {**self.settings, "low_resolution": None}
        return dataclasses.replace(self, settings=settings)

    def copy_of(self, student, model_noise):
        """A copy of a student to be trained.

        Args:
            student: Keras model.
            model_noise: Boolean, whether residual branches are dropped.

        Returns:
            A Keras model.
        """
        rate = self.settings["stochastic_depth"]
        if model_noise and rate:
            copy = add_stochastic_depth(student, rate, replace=True)
        else:
            copy = copy_model(student)
        return self.seen_small(copy)

    def seen_small(self, model):
        """A model that shares the weights and sees what phases train on."""
        share = self.settings["low_resolution"]
        if not share:
            return model
        return shrink_images(model, share, self.task.labeled[0].shape[1:])

    def view(self, name):
        """The layer that augments images: `"strong"`, `"weak"` or `None`."""
        if name is None:
            return None
        given, build = {
            "strong": (self.layers["noise"], strong_view),
            "weak": (self.layers["weak_noise"], weak_view),
        }[name]
        if given is not None:
            return given
        return build(self.settings, self.task.value_range)

    def teacher_view(self, is_frozen):
        """The layer that augments the images of the teacher, or `None`.

        Args:
            is_frozen: Boolean, whether the teacher stays as it is.
        """
        # One that does is most often right on images as they are.
        if is_frozen and self.layers["weak_noise"] is None:
            return None
        return self.view("weak")

    def policy(self):
        """A policy that has seen nothing yet."""
        policy = self.layers["policy"]
        if policy is not None:
            return type(policy).from_config(policy.get_config())
        return DistributionAlignment(
            FixedThreshold(
                self.settings["threshold"],
                soft=True,
                temperature=self.settings["temperature"],
            ),
            # The classes are taken to be as frequent as among the labels.
            prior=self.task.class_counts / self.task.class_counts.sum(),
            momentum=0.99,
        )


def strong_view(settings, value_range):
    """What the student sees: strong augmentation.

    Args:
        settings: Dict of settings.
        value_range: Pair of floats.

    Returns:
        A Keras layer.
    """
    layers = []
    if settings["flip"]:
        layers.append(HorizontalFlip())
    table = settings["table"]
    if settings["num_ops"]:
        layers.append(
            RandAugment(
                settings["num_ops"],
                settings["magnitude"],
                value_range,
                ops=settings["ops"],
                fill_value=settings["fill_value"],
                table=table,
            )
        )
    if settings["cutout"]:
        layers.append(RandAugment(1, 10, value_range, ("cutout",), table=table))
    return keras.Sequential(layers or [keras.layers.Identity()])


def weak_view(settings, value_range):
    """What an averaged teacher sees: a flip and small shifts.

    Args:
        settings: Dict of settings.
        value_range: Pair of floats.

    Returns:
        A Keras layer.
    """
    return augmented_views.weak_view(
        value_range, settings["flip"], settings["fill_value"]
    )


def shrink_images(model, share, image_shape):
    """Puts a layer that shrinks images in front of a model.

    Args:
        model: Keras model that takes images of any size.
        share: Float between 0 and 1, the height and width that is left.
        image_shape: Tuple `(height, width, channels)` of the images.

    Returns:
        A Keras model for images of that shape, with the weights of `model`,
        which it shares.
    """
    *sizes, _ = image_shape
    small = [max(1, round(share * size)) for size in sizes]
    images = keras.Input(image_shape)
    return keras.Model(
        images, model(keras.layers.Resizing(*small, antialias=True)(images))
    )


def check_any_size(model, images):
    """Refuses a model for images of one size only.

    Args:
        model: Built Keras model.
        images: Array of images.

    Raises:
        ValueError: If its input has a height and a width.
    """
    shape = tuple(model.input_shape)
    if shape[1:3] != (None, None):
        channels = images.shape[-1]
        raise ValueError(
            "The setting 'low_resolution' needs a model for images of any "
            f"size: build it with `keras.Input((None, None, {channels}))`, and "
            "pool its features over all positions instead of flattening them. "
            f"Received: a model of input shape {shape}"
        )
