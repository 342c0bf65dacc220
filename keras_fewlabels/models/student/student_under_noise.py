import contextlib

import keras
from keras import ops

from keras_fewlabels.foundation import check_bool, check_int, check_number
from keras_fewlabels.models.student.balanced_head import (
    BalancedHead,
    as_one_output,
    check_balanced_head,
    features_and_outputs,
)
from keras_fewlabels.models.student.blank_image import (
    debiased_copy,
    predict_beside_blank,
)
from keras_fewlabels.models.student.fit_checks import check_mixing, check_noise
from keras_fewlabels.models.student.mixed_images import (
    mix_by_layer,
    shares_of_views,
)
from keras_fewlabels.models.student.separate_statistics import (
    separate_statistics,
)
from keras_fewlabels.models.student.student_model import StudentModel, is_mixed
from keras_fewlabels.models.student.warm_up_statistics import (
    WarmUpStatistics,
)


class StudentUnderNoise(StudentModel):
    """A model whose student sees noisy, perhaps mixed images in training.

    Args:
        student: Built Keras model.
        noise: As for `NoisyStudentModel`, and so are the following.
        weak_noise: Optional layer.
        labeled_noise: Optional layer, or `"weak"`.
        separate_batch_norm: Boolean.
        mixing: Optional layer.
        num_views: Int.
        blank_value: Optional float.
        balanced_head: Boolean.
        **kwargs: As for `keras.Model`.
    """

    def __init__(
        self,
        student,
        noise,
        weak_noise,
        labeled_noise,
        separate_batch_norm,
        mixing,
        num_views,
        blank_value,
        balanced_head,
        **kwargs,
    ):
        # The student and the noise cast their inputs themselves.
        super().__init__(student, autocast=False, **kwargs)
        check_noise(
            noise=noise, weak_noise=weak_noise, labeled_noise=labeled_noise
        )
        check_bool(separate_batch_norm, "separate_batch_norm")
        check_mixing(mixing)
        check_int(num_views, "num_views")
        check_number(blank_value, "blank_value", "(-inf, inf)", optional=True)
        check_balanced_head(balanced_head, mixing, blank_value)
        self.noise = noise
        self.weak_noise = weak_noise
        self.labeled_noise = labeled_noise
        self.separate_batch_norm = separate_batch_norm
        self.mixing = mixing
        self.num_views = num_views
        self.blank_value = blank_value
        self.balanced_head = balanced_head
        self.second_head = None
        if balanced_head:
            self.second_head = BalancedHead()
            self.second_head.build_for(student)
            # Not an attribute of its own, or Keras would save layers twice.
            both = features_and_outputs(student)
            self.features_and_outputs = lambda *args, **kw: both(*args, **kw)
        self.warm_up = WarmUpStatistics(student)

    def add_noise(self, images):
        """Returns the images as the student sees them in training."""
        return _with_noise(self.noise, images)

    def add_weak_noise(self, images):
        """Returns the images as the teacher sees them in training."""
        return _with_noise(self.weak_noise, images)

    def add_labeled_noise(self, images):
        """Returns the labelled images as the student sees them in training.

        It is called if there is `labeled_noise`. Otherwise `add_noise` gets
        all images at once.
        """
        if self.labeled_noise == "weak":
            return self.add_weak_noise(images)
        return _with_noise(self.labeled_noise, images)

    def views(self, labeled, unlabeled):
        """Returns the images that the student sees in a step, under noise.

        Args:
            labeled: Tensor of shape `(num_labeled, height, width, channels)`.
            unlabeled: Tensor of shape `(num_unlabeled, height, width,
                channels)`.

        Returns:
            Tensor of the labelled images, followed by all unlabelled images
            once or repeatedly.
        """
        if self.num_views > 1:
            unlabeled = ops.concatenate([unlabeled] * self.num_views)
        if self.labeled_noise is None:
            return self.add_noise(ops.concatenate([labeled, unlabeled]))
        return ops.concatenate(
            [self.add_labeled_noise(labeled), self.add_noise(unlabeled)]
        )

    def mix(self, images, shares):
        """Mixes the images that the student sees in a step with each other.

        It is called if there is `mixing`, or more than one view.

        Args:
            images: Tensor of shape `(num_rows, height, width, channels)`, what
                `views` returns.
            shares: Float32 tensor of shape `(num_rows, num_images)`, one-hot:
                which image of the batch each row shows.

        Returns:
            Mixed images, and the share of each image in them. There may be
            more rows of unlabelled images than before.
        """
        if self.mixing is None:
            return images, shares
        return mix_by_layer(self.mixing, images, shares)

    def predict_by(self, network, images):
        """Returns the outputs of a network, without its bias if that is known.

        Args:
            network: The student or its teacher.
            images: Tensor of shape `(batch, height, width, channels)`.
        """
        if self.blank_value is None:
            return network(images, training=False)
        return predict_beside_blank(
            network, images, self.blank_value, self.scores
        )

    def predict_labeled(self, images):
        """Returns what `predict()` and `evaluate()` see."""
        if self.second_head is None:
            return self.predict_by(self.student, images)
        features, _ = self.features_and_outputs(images, training=False)
        logits = self.second_head(features)
        if self.num_outputs == 1:
            logits = as_one_output(logits)
        if self.scores.from_logits:
            return logits
        return keras.activations.get(self.scores.activation)(logits)

    def debiased_student(self):
        """Returns a classifier that predicts as this model does.

        With `blank_value` or `balanced_head` it is a copy of the student with
        another last layer, otherwise `model.student` itself.

        Raises:
            ValueError: If the student does not end with a `Dense` layer.
        """
        if self.second_head is not None:
            return self.second_head.put_into(self.student)
        if self.blank_value is None:
            return self.student
        return debiased_copy(self.student, self.blank_value, self.scores)

    def changes_in_fit(self):
        return self.balanced_head or super().changes_in_fit()

    def call(self, inputs, training=None):
        if not is_mixed(inputs):
            if training:
                return self.student(inputs, training=training)
            return self.predict_labeled(inputs)
        parts = inputs["labeled"], inputs["unlabeled"]
        if not training:
            return self.student(ops.concatenate(parts), training=training)
        images, shares = self.views(*parts), None
        sizes = [ops.shape(part)[0] for part in parts]
        if self.mixing is not None or self.num_views > 1:
            shares = shares_of_views(*sizes, ops.shape(images)[0])
            images, shares = self.mix(images, shares)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.warm_up.momentums())
            if self.separate_batch_norm:
                sizes = sizes[0], ops.shape(images)[0]
                stack.enter_context(separate_statistics(self.student, *sizes))
            if self.second_head is None:
                outputs = {"predictions": self.student(images, training=True)}
            else:
                features, predictions = self.features_and_outputs(
                    images, training=True
                )
                outputs = {"predictions": predictions, "features": features}
        if shares is not None:
            outputs["shares"] = shares
        return outputs if len(outputs) > 1 else outputs["predictions"]

    def second_head_loss(self, x, y, outputs, sample_weight, progress):
        """Returns the loss of the balanced head, a scalar; 0 without one."""
        if self.second_head is None:
            return 0.0
        weak = self.add_weak_noise(x["unlabeled"])
        weak_features, _ = self.features_and_outputs(weak, training=False)
        return self.second_head.loss(
            outputs["features"], y, sample_weight, weak_features, progress
        )

    def get_config(self):
        config = super().get_config()
        for part in (
            "student",
            "noise",
            "weak_noise",
            "labeled_noise",
            "mixing",
        ):
            value = getattr(self, part)
            config[part] = keras.saving.serialize_keras_object(value)
        config["separate_batch_norm"] = self.separate_batch_norm
        config["num_views"] = self.num_views
        config["blank_value"] = self.blank_value
        config["balanced_head"] = self.balanced_head
        return config


def _with_noise(noise, images):
    return images if noise is None else noise(images, training=True)
