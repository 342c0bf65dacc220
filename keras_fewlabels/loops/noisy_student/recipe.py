"""The models, augmentations and policies of phases, as the settings say."""

import dataclasses

import keras

from keras_fewlabels.foundation import input_shape_of
from keras_fewlabels.layers import RandAugment
from keras_fewlabels.layers.augmentation import Augmentation
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.loops.class_balance import class_weights
from keras_fewlabels.loops.noisy_student.task import Task
from keras_fewlabels.loops.settings import Settings
from keras_fewlabels.models.copy_model import copy_model
from keras_fewlabels.models.methods import augmented_views
from keras_fewlabels.models.stochastic_depth import add_stochastic_depth
from keras_fewlabels.policies.distribution_alignment import (
    DistributionAlignment,
)
from keras_fewlabels.policies.fixed_threshold import FixedThreshold
from keras_fewlabels.policies.parts import check_policy_of

# The share of a phase in which the learning rate rises.
_WARM_UP = 0.05


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Builds the parts of phases by the settings.

    Args:
        task: `Task`.
        settings: `Settings`.
        layers: Dict of the user's `policy`, `noise` and `weak_noise`, which
            take the place of settings; `None` for those that do not.
    """

    task: Task
    settings: Settings
    layers: dict

    def check(self, student):
        """Checks that the settings fit the images and the model.

        Args:
            student: Keras model as those to train.

        Raises:
            ValueError: If a setting does not.
        """
        for name in ("strong", "weak"):
            self.augmentation(name)
        self._check_channels()
        policy = self.policy()
        check_policy_of(self.task.scores, policy)
        policy.build(self.task.shape_judged)
        if self.settings.low_resolution:
            check_any_size(student, self.task.labeled[0])
        if self.settings.stochastic_depth:
            self.copy_of(student, True)

    def _check_channels(self):
        shape = self.task.sample.shape[1:]
        missing = [
            name
            for name in ("noise", "weak_noise")
            if self.layers[name] is None
        ]
        if shape[-1] not in (1, 3) and missing:
            raise ValueError(
                "The noise of the loop augments images of 1 or 3 channels, "
                "channels last. Move the channels to the last axis with "
                "`np.moveaxis(images, 1, -1)`, or pass layers for images like "
                "these as `noise` and `weak_noise`, such as "
                "`keras.layers.RandomFlip()`. Received: images of shape "
                f"{shape}, without {' and '.join(missing)}"
            )

    @property
    def ema_decay(self):
        """Float, the decay of the averages of weights."""
        decay = self.settings.ema_decay
        if decay is None:
            # Looks back over a twentieth of the student's steps.
            decay = 1 - 20 / self.settings.student_steps
            decay = min(max(0.9, decay), 0.9995)
        return decay

    def class_weights(self, labels):
        """Returns the weights with which all classes count alike.

        Args:
            labels: Class numbers or one-hot rows.

        Returns:
            Float array `(num_classes,)`, whose mean over the labels is 1;
            or `None` if the classes count as they are.
        """
        if not self.settings.balanced:
            return None
        return class_weights(self.task.count_classes(labels))

    def at_full_resolution(self):
        """Returns the same recipe for images as they are."""
        settings = dataclasses.replace(self.settings, low_resolution=None)
        return dataclasses.replace(self, settings=settings)

    def at_training_resolution(self, model):
        """Returns a model for images as they are that shrinks them first.

        It shares the weights of `model`. Without the setting
        `low_resolution`, it is `model` itself.
        """
        share = self.settings.low_resolution
        if not share:
            return model
        return shrink_images(model, share, self.task.labeled[0].shape[1:])

    def copy_of(self, student, model_noise):
        """Returns a copy of a student, to be trained.

        Args:
            student: Keras model.
            model_noise: Boolean, whether residual branches are dropped.
        """
        rate = self.settings.stochastic_depth
        if model_noise and rate:
            copy = add_stochastic_depth(student, rate, replace=True)
        else:
            copy = copy_model(student)
        return self.at_training_resolution(copy)

    def compile(self, model, student, num_steps, falls=True, rate_factor=1.0):
        """Compiles a model as its student is, or else by the settings.

        Args:
            model: The model to compile.
            student: Keras model. If it is compiled, `model` gets its loss,
                and a new optimizer of the same configuration.
            num_steps: Int, the steps of the phase.
            falls: Boolean, whether the learning rate falls to zero after it
                has risen, or stays.
            rate_factor: Float, by which the learning rate is multiplied.
        """
        if student.compiled:
            optimizer = student.optimizer
            optimizer = type(optimizer).from_config(optimizer.get_config())
            loss = student.loss
        else:
            rate = self.settings.learning_rate * rate_factor
            optimizer = keras.optimizers.Adam(
                _learning_rate(rate, num_steps, falls),
                # Even one of 0 asks the schedule once for each weight, which
                # takes seconds to trace.
                weight_decay=self.settings.weight_decay or None,
            )
            loss = self.task.scores.loss(
                label_smoothing=self.settings.label_smoothing
            )
        # Weighted, for classes that should count alike.
        metrics = [self.task.scores.accuracy(soft=True)]
        model.compile(optimizer, loss, weighted_metrics=metrics)

    def augmentation(self, name):
        """Returns the layer that augments images.

        Args:
            name: `"strong"`, `"weak"`, or `None` for no layer.
        """
        settings, value_range = self.settings, self.task.value_range
        if name is None:
            return None
        layer = self.layers["noise" if name == "strong" else "weak_noise"]
        if layer is not None:
            return layer
        if name == "strong":
            return strong_augmentation(settings, value_range)
        return augmented_views.weak_view(
            value_range, settings.flip, settings.fill_value
        )

    def augmentation_of_teacher(self, is_frozen):
        """Returns the layer that augments the images of the teacher.

        Args:
            is_frozen: Boolean, whether the teacher is not trained.

        Returns:
            A Keras layer, or `None`.
        """
        # A frozen teacher is most often right on images as they are.
        if is_frozen and self.layers["weak_noise"] is None:
            return None
        return self.augmentation("weak")

    def policy(self):
        """Returns a policy in its initial state."""
        policy = self.layers["policy"]
        if policy is not None:
            return type(policy).from_config(policy.get_config())
        policy = FixedThreshold(
            self.settings.threshold,
            soft=True,
            temperature=self.settings.temperature,
        )
        # The classes are taken to be as frequent as among the labels.
        counts, num_labeled = self.task.class_counts, len(self.task.labeled[0])
        prior = counts / counts.sum()
        if not self.task.scores.one_true:
            # A label that all of them have may be missing elsewhere.
            prior = (counts + 0.5) / (num_labeled + 1)
        return DistributionAlignment(policy, prior, momentum=0.99)


def strong_augmentation(settings, value_range):
    """Returns the layer that augments the images of the student.

    Args:
        settings: `Settings`.
        value_range: Pair of floats.
    """
    layers = []
    if settings.flip:
        layers.append(HorizontalFlip())
    table = settings.table
    if settings.num_ops:
        layers.append(
            RandAugment(
                settings.num_ops,
                settings.magnitude,
                value_range,
                ops=settings.ops,
                fill_value=settings.fill_value,
                table=table,
            )
        )
    if settings.cutout:
        layers.append(RandAugment(1, 10, value_range, ("cutout",), table=table))
    return Augmentation(layers)


def shrink_images(model, share, image_shape):
    """Returns a model with a layer in front of it that shrinks images.

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
    """Checks that a model takes images of any size.

    Args:
        model: Built Keras model.
        images: Array of images.

    Raises:
        ValueError: If its input has a fixed height and width.
    """
    shape = input_shape_of(model)
    if shape[1:3] != (None, None):
        channels = images.shape[-1]
        raise ValueError(
            "The setting 'low_resolution' needs a model for images of any "
            f"size: build it with `keras.Input((None, None, {channels}))`, and "
            "pool its features over all positions instead of flattening them. "
            f"Received: a model of input shape {shape}"
        )


def _learning_rate(rate, num_steps, falls):
    warm_up = max(1, round(_WARM_UP * num_steps))
    return keras.optimizers.schedules.CosineDecay(
        rate / 100,
        max(1, num_steps - warm_up),
        alpha=0.0 if falls else 1.0,
        warmup_target=rate,
        warmup_steps=warm_up,
    )
