import keras
from keras import ops

from keras_fewlabels.foundation import (
    check_number,
    has_stepped,
    input_shape_of,
    losses_kept,
)
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.student.after_train_step import after_train_step
from keras_fewlabels.models.student.fit_checks import check_models
from keras_fewlabels.models.student.mixed_images import targets_of_mixed_batch
from keras_fewlabels.models.student.student_model import (
    is_mixed,
    split_predictions,
)
from keras_fewlabels.models.student.student_under_noise import (
    StudentUnderNoise,
)
from keras_fewlabels.policies import FixedThreshold
from keras_fewlabels.policies.parts import (
    num_replicas,
    scores_of_loss,
    weighted_mean,
)
from keras_fewlabels.policies.policy import check_policy


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class NoisyStudentModel(StudentUnderNoise):
    """Trains a student on labels, and on pseudo-labels of unlabelled images.

    In each step a teacher predicts clean (or weakly augmented) unlabelled
    images. A policy turns the predictions into targets and weights. The
    student learns labelled and unlabelled images under noise, in one forward
    pass. The teacher, the policy and the noise are arguments; Noisy Student,
    Mean Teacher, UDA and FixMatch differ in nothing else.

    `compile()`, `fit()`, callbacks, mixed precision and distribution are
    those of Keras. `fit()` takes the dataset that `data.mix_labeled_unlabeled`
    returns. `evaluate()`, `predict()`, `summary()` and `export()` take what
    they take in Keras and act on the student, which is also an ordinary Keras
    model, `model.student`.

    The logs have the compiled metrics, of labelled images only, and:

    - `supervised_loss` and `unlabeled_loss`.
    - `mask_ratio`: the mean weight of the unlabelled images.
    - `confidence`: the mean of the teacher's highest probabilities.
    - `class_entropy`: how evenly the pseudo-labels that count spread over the
      classes, from 0 (one class) to 1.
    - `pseudo_label_accuracy`: that of the pseudo-labels that count, 0 while
      none does. It needs a dataset made with `truth`.

    `fit()` warns when the pseudo-labels collapse, and stops when the loss
    becomes NaN.

    `fit(class_weight=...)` multiplies the loss of each labelled image by the
    weight of its class, as in Keras. Pseudo-labels have no such weights.

    The momentum of the student's batch normalization warms up. Otherwise its
    statistics would lag behind in a fit of a few hundred steps.

    References:
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252), Noisy Student.
        - [Sohn et al., 2020](https://arxiv.org/abs/2001.07685), FixMatch.
        - [Lee and Kim, 2024](https://arxiv.org/abs/2403.10391), CDMAD: the
          blank image.
        - [Lee et al., 2021](https://arxiv.org/abs/2110.10368), ABC: the
          balanced head.

    Args:
        student: Built Keras model that maps images to class probabilities or
            logits, as the compiled loss expects them. It is trained. The loss
            must be a cross-entropy of Keras, or its name, and not in a list,
            dict or function: a categorical one, or a binary one for one
            sigmoid unit (two classes) or for labels of which several may be
            true. The student is called, so all preprocessing must be in its
            layers.
        teacher: Built Keras model with the outputs of the student, which is
            frozen; an `EMATeacher`, which averages the student; or `None`:
            the student then teaches itself.
        policy: `policies.Policy` that turns the teacher's probabilities into
            targets and weights. By default `policies.FixedThreshold()`.
        noise: Optional layer that augments the images of the student, such
            as `layers.RandAugment()`, which draws anew on each replica;
            Keras's own random layers draw the same on all.
        weak_noise: Optional layer that augments the images of the teacher.
        unlabeled_weight: Float, the weight of the unlabelled loss.
        labeled_noise: Optional layer that augments the labelled images in
            place of `noise`; or `"weak"` for `weak_noise`. FixMatch augments
            labelled images weakly. Noisy Student has the same noise for all.
        separate_batch_norm: Boolean. If `True`, labelled and unlabelled
            images have their own statistics in the student's batch
            normalization. Worth trying if the unlabelled images look
            different.
        mixing: Optional layer that mixes the images of the student with each
            other, and labels and pseudo-labels alike, such as
            `keras.layers.MixUp()`, `keras.layers.CutMix()` or those of
            keras-cv. It is called after `noise`, with labelled and unlabelled
            images. The compiled metrics compare mixed images with the labels
            of their own.
        num_views: Int, how many noisy views of each unlabelled image the
            student sees in a step.
        blank_value: Optional float, the value of all pixels of a blank image,
            such as 255. The logits of that image, which show the classes that
            a classifier prefers, are then subtracted from those of the other
            images, in pseudo-labels, `evaluate()` and `predict()`. It is meant
            for uneven classes, where it wins in the paper. It lost against
            `fit(class_weight=...)` on uneven digits, so compare them.
            `debiased_student()` is the student to deploy.
        balanced_head: Boolean. If `True`, a second head on the features of
            the student learns frequent classes less often (ABC). `evaluate()`
            and `predict()` take it. Its own pseudo-labels count from a
            confidence of 0.95. `debiased_student()` has it.
        **kwargs: As for `keras.Model`.

    Raises:
        ValueError: If an argument has another type, a model is not built, or
            student and teacher share weights. From `fit()`, before the first
            step, if teacher or data do not fit the student.
        FloatingPointError: From `fit()`, if the loss becomes NaN.

    Example:

    >>> student = keras.Sequential([
    ...     keras.Input((8, 8, 1)),
    ...     keras.layers.Flatten(),
    ...     keras.layers.Dense(10, activation="softmax"),
    ... ])
    >>> model = keras_fewlabels.models.NoisyStudentModel(
    ...     student,
    ...     teacher=keras_fewlabels.models.EMATeacher(),
    ...     noise=keras.layers.GaussianNoise(0.1),
    ... )
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> images = np.random.default_rng(0).random((64, 8, 8, 1), "float32")
    >>> dataset = keras_fewlabels.data.mix_labeled_unlabeled(
    ...     (images[:20], np.arange(20) % 10), images, batch_size=16
    ... )
    >>> history = model.fit(dataset, verbose=0).history
    >>> history["mask_ratio"]  # nothing is confident yet
    [0.0]
    """

    def __init__(
        self,
        student,
        teacher=None,
        policy=None,
        noise=None,
        weak_noise=None,
        unlabeled_weight=1.0,
        *,
        labeled_noise=None,
        separate_batch_norm=False,
        mixing=None,
        num_views=1,
        blank_value=None,
        balanced_head=False,
        **kwargs,
    ):
        check_models(student, teacher)
        super().__init__(
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
        )
        check_number(unlabeled_weight, "unlabeled_weight", "[0, inf)")
        self.teacher = teacher
        self.policy = FixedThreshold() if policy is None else policy
        check_policy(self.policy)
        self.unlabeled_weight = unlabeled_weight
        if isinstance(teacher, EMATeacher):
            teacher.follow(student)
            teacher.trained_by(self)
        elif teacher is not None:
            teacher.trainable = False
        self.num_outputs = None
        output_shape = getattr(student, "output_shape", None)
        if output_shape is not None:
            self.build_for(output_shape[-1])
        self.built = True

    def build_for(self, num_outputs):
        """Builds the policy and the metrics for a number of outputs.

        Their variables must exist before training, and before loading.
        `fit()` calls this again when it has seen the first batch: a student
        may not know its output shape before.
        """
        self.num_outputs = num_outputs
        # One sigmoid unit tells two classes apart.
        shape = None, max(2, num_outputs)
        if not self.pseudo_label_metrics.built:
            self.pseudo_label_metrics.build(shape)
        if self.policy.per_output and num_outputs > 1:
            if not self.compiled:
                # The loss will tell whether it judges classes or labels.
                return
            shape = self.scores.shape_judged(num_outputs)
        if not self.policy.built:
            self.policy.build(shape)

    def load_weights(self, *args, **kwargs):
        # Keras leaves out what is not built.
        if self.num_outputs is None:
            images = keras.KerasTensor(input_shape_of(self.student))
            self.num_outputs = self.student.compute_output_spec(images).shape[
                -1
            ]
        self.build_for(self.num_outputs)
        if not (self.policy.built or isinstance(self.policy, FixedThreshold)):
            raise ValueError(
                "The loss tells what the policy remembers. Call `compile()` "
                "before `load_weights()`. Received: a model that is not "
                f"compiled, with policy={self.policy!r}"
            )
        super().load_weights(*args, **kwargs)

    @property
    def scores(self):
        """The kind of scores that the compiled loss reads."""
        return scores_of_loss(self.loss, self.num_outputs)

    def teach(self, images):
        """Predicts the classes of unlabelled images with the teacher.

        Args:
            images: Tensor of shape `(batch, height, width, channels)`.

        Returns:
            Float tensor of class probabilities, `(batch, num_classes)`. Of
            one sigmoid unit they have two columns.
        """
        teacher = self.student if self.teacher is None else self.teacher
        outputs = self.predict_by(teacher, self.add_weak_noise(images))
        return self.scores.probabilities(outputs)

    def unlabeled_loss(self, targets, predictions, weights):
        """Computes the loss of each unlabelled image.

        Args:
            targets: Float tensor of shape `(batch, num_classes)`.
            predictions: The student's outputs, `(batch, num_outputs)`.
            weights: Float tensor of shape `(batch,)`, or `(batch,
                num_outputs)` of a multi-label model.

        Returns:
            Float tensor of shape `(batch,)`. Its mean is the unlabelled loss.
        """
        losses = self.cross_entropy(targets, predictions)
        return weighted_mean(weights, losses)

    def cross_entropy(self, targets, predictions):
        """Returns the cross-entropy of each image, of shape `(batch,)`.

        That of a multi-label model has one of each output.
        """
        return self.scores.cross_entropy(targets, predictions)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        predictions, unlabeled_predictions = split_predictions(x, y_pred)
        if not (training and is_mixed(x)):
            return super().compute_loss(
                x, y, predictions, sample_weight, training
            )
        # Here and not in `train_step`: only here do variables have values on
        # every backend.
        probabilities, targets, weights = self._pseudo_label(x, predictions)
        # Keras divides losses by the number of replicas, over which the
        # gradients are summed.
        replicas = num_replicas()
        rows, others = (targets, weights), None
        if isinstance(y_pred, dict) and "shares" in y_pred:
            sample_weight, others, rows = targets_of_mixed_batch(
                y_pred["shares"], y, sample_weight, targets, weights
            )
        supervised_loss = super().compute_loss(
            x, y, predictions, sample_weight, training
        )
        if others is not None:
            cross_entropy = self.cross_entropy(others[0], predictions)
            loss_of_others = ops.mean(others[1] * cross_entropy)
            supervised_loss = supervised_loss + loss_of_others / replicas
        unlabeled_loss = ops.mean(
            self.unlabeled_loss(rows[0], unlabeled_predictions, rows[1])
        )
        self.pseudo_label_metrics.update(
            y,
            targets,
            weights,
            are_right=None
            if "truth" not in x
            else self.scores.are_right(targets, x["truth"]),
            supervised_loss=supervised_loss * replicas,
            unlabeled_loss=unlabeled_loss,
            mask_ratio=weights,
            confidence=self.scores.confidence(probabilities),
        )
        progress = self.progress.advance()
        weight = self.unlabeled_weight * self.ramp(progress)
        unlabeled_loss = weight * unlabeled_loss + self.second_head_loss(
            x, y, y_pred, sample_weight, progress
        )
        return supervised_loss + unlabeled_loss / replicas

    def _pseudo_label(self, x, predictions):
        """Returns what the teacher predicts, and what the policy makes of it.

        Args:
            x: Dict of a mixed batch.
            predictions: The student's outputs for the labelled images.

        Returns:
            Three float tensors: probabilities, targets and weights.
        """
        with losses_kept(self):
            probabilities = ops.stop_gradient(self.teach(x["unlabeled"]))
        targets, weights = self.scores.judge(
            self.policy,
            probabilities,
            training=True,
            labeled_probabilities=ops.stop_gradient(
                self.scores.probabilities(predictions)
            ),
            indices=x.get("index"),
        )
        return probabilities, targets, weights

    def train_step(self, *args):
        result = super().train_step(*args)
        if isinstance(self.teacher, EMATeacher):
            return after_train_step(
                self,
                result,
                lambda: self.teacher.update(
                    self.student, has_stepped=has_stepped(self.optimizer)
                ),
            )
        return result

    def get_config(self):
        config = super().get_config()
        for part in ("teacher", "policy"):
            value = getattr(self, part)
            config[part] = keras.saving.serialize_keras_object(value)
        config["unlabeled_weight"] = self.unlabeled_weight
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {
            name: keras.saving.deserialize_keras_object(part, custom_objects)
            for name, part in config.items()
            if isinstance(part, dict)
        }
        return cls(**{**config, **parts})
