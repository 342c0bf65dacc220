"""Checks of arguments, and that model, teacher and data go together."""

import functools
import warnings

import keras

from keras_fewlabels.callbacks.pseudo_labeler.workers import (
    OnlyWorker,
    labeling_worker,
)
from keras_fewlabels.data.checks import (
    as_array,
    check_input_shape,
    check_label_form,
    check_labels,
    is_one_hot,
)
from keras_fewlabels.foundation import (
    BOOL,
    NONE,
    check_called,
    choice_rule,
    int_rule,
    number_rule,
    type_rule,
)
from keras_fewlabels.policies import TopPerClass
from keras_fewlabels.policies.parts import (
    check_class_scores,
    check_policy_of,
    check_same_classes,
    scores_of_loss,
)

# The rules of the arguments of `PseudoLabeler`.
ARGUMENTS = {
    "teacher": (type_rule(keras.Model, "a Keras model"), NONE),
    "balance": (
        choice_rule("repeat", "truncate"),
        type_rule(TopPerClass, "a `policies.TopPerClass`"),
        NONE,
    ),
    "every": int_rule(1),
    "batch_size": int_rule(1),
    "start": (int_rule(0), NONE),
    "seed": (int_rule(0), NONE),
    "curriculum": (number_rule("(0, 1]"), NONE),
    "reinitialize": BOOL,
    "max_rounds": (int_rule(1), NONE),
}


def checked_truth(truth, num_unlabeled):
    """Returns the true labels of the unlabelled images as an array.

    Args:
        truth: Array of labels, or `None`.
        num_unlabeled: Int, the number of unlabelled images.

    Returns:
        Array, or `None`.

    Raises:
        ValueError: If there is not one label, or row of labels, per image.
    """
    if truth is None:
        return None
    truth = as_array(truth, "truth")
    check_labels(truth, "truth", num_images=num_unlabeled, one_true=None)
    return truth


def true_decisions(truth, scores, num_classes):
    """Returns true labels in the form of the pseudo-labels of a model.

    Args:
        truth: Array that `checked_truth` returned, or `None`.
        scores: `ClassScores` of the model.
        num_classes: Int.

    Returns:
        Int array, class numbers `(num_unlabeled,)`, or 0 and 1
        `(num_unlabeled, num_classes)` where several classes may be true; or
        `None`.

    Raises:
        ValueError: If the labels are of the other kind.
    """
    if truth is None:
        return None
    if scores.one_true:
        # Unlabelled images may be of other classes.
        check_labels(truth, "truth")
    else:
        check_labels(truth, "truth", num_classes=num_classes, one_true=False)
    return scores.as_decisions(truth)


def check_feed(batches, steps):
    """Checks that a fit reads the batches of `mixed_with` as they are.

    Args:
        batches: The batches behind the dataset of `mixed_with`, or `None`.
        steps: Int, the steps per epoch of the fit, or `None` if unknown.

    Raises:
        ValueError: If there are no batches, the fit has other steps per
            epoch, or several workers read ahead.
    """
    if batches is None:
        raise ValueError(
            "The fit would not see the pseudo-labels. Fit on "
            "`labeler.mixed_with(labeled)`. Received: a PseudoLabeler whose "
            "`mixed_with` was not called"
        )
    if steps not in (None, batches.num_steps):
        raise ValueError(
            "Fit on what `mixed_with` returns as it is, without `.repeat()` "
            "and `steps_per_epoch`: labels would come late. For other epochs "
            "use `mixed_with(..., steps_per_epoch=...)`. Received: "
            f"steps_per_epoch={steps}, where an epoch has {batches.num_steps}"
        )
    if getattr(batches, "workers", 1) > 1:
        raise ValueError(
            "The `PyDataset` of `mixed_with` cannot have several workers: "
            "they read ahead, and labels would come late. "
            f"Received: workers={batches.workers}"
        )


def check_models(model, teacher, source, labels):
    """Checks that model, teacher, images and labels go together.

    Args:
        model: Compiled Keras model that is fitted.
        teacher: Keras model that labels, or `None` for `model`.
        source: `ImageSource` of the unlabelled images.
        labels: Array of the true labels.

    Returns:
        `(scores, num_classes)`: the kind of scores of the model that labels,
        `ClassScores`, and the number of its classes.

    Raises:
        ValueError: If the outputs are no class scores, model and teacher
            differ in the images they take, in their classes, or in whether
            several may be true, or the loss does not take the labels.
    """
    sample = source.first(2)
    check_input_shape(model, sample, "model")
    outputs = _predict(model, sample, "model")
    read = functools.partial(scores_of_loss, model.loss)
    outputs = check_class_scores(outputs, read, "model", model=model)
    own = scores = read(outputs.shape[-1])
    if teacher is not None:
        check_input_shape(teacher, sample, "teacher")
        teacher_outputs = _predict(teacher, sample, "teacher")
        # A teacher without a loss of its own is taken to share the model's.
        if teacher.compiled:
            read = functools.partial(scores_of_loss, teacher.loss)
        teacher_outputs = check_class_scores(
            teacher_outputs,
            read,
            "teacher",
            is_own_loss=teacher.compiled,
            model=teacher,
        )
        scores = read(teacher_outputs.shape[-1])
        check_same_classes(outputs, teacher_outputs)
        if scores.one_true != own.one_true:
            raise ValueError(
                "Model and teacher must agree on whether several classes may "
                "be true of an image: both end with a sigmoid for each, or "
                f"neither does. Received: {own.activation} of the model, "
                f"{scores.activation} of the teacher"
            )
    num_classes = own.num_classes(outputs.shape[-1])
    check_labels(
        labels,
        "labels of labeled",
        num_classes=num_classes,
        one_true=own.one_true,
    )
    check_label_form(labels, own.sparse)
    return scores, num_classes


def _predict(model, images, role):
    worker = labeling_worker(model)
    if type(worker) is not OnlyWorker:
        # With others beside it, a worker calls the model.
        check_called(model, role, images)
    return worker.predict(images, len(images))


def check_several_labels(scores, policy, balance, labels):
    """Checks that each label of an image can be kept or not by itself.

    Args:
        scores: `ClassScores` of the model that labels.
        policy: `Policy`.
        balance: As for `PseudoLabeler`.
        labels: Array of true labels.

    Raises:
        ValueError: If several labels may be true of an image, and the policy
            or the balance compares them, or the true labels are no floats, as
            labels that are soft or not sure must be.
    """
    check_policy_of(scores, policy)
    if scores.one_true:
        return
    if balance is not None:
        raise ValueError(
            "`balance` compares classes of which one is true of each image, "
            "and the model has a sigmoid for each of several labels. Leave it "
            f"out. Received: balance={balance!r}"
        )
    if labels.dtype.kind != "f":
        raise ValueError(
            "Pseudo-labels of several labels need true labels of floats "
            'beside them: pass `labels.astype("float32")`. '
            f"Received: labels of dtype {labels.dtype}"
        )


def check_soft_targets(is_soft, labels, one_sigmoid=True):
    """Checks that true labels can stand in a batch beside pseudo-labels.

    Args:
        is_soft: Boolean. `True` if the policy gives soft targets.
        labels: Array of true labels.
        one_sigmoid: Boolean, whether the model may be one sigmoid unit, whose
            labels are numbers from 0 to 1.

    Raises:
        ValueError: If the targets are soft and the labels cannot be.
    """
    # Whole numbers would cut probabilities down to 0.
    are_soft = labels.dtype.kind == "f" and (is_one_hot(labels) or one_sigmoid)
    if is_soft and not are_soft:
        raise ValueError(
            "Soft pseudo-labels need one-hot true labels of floats beside "
            "them: pass `keras.utils.to_categorical(labels, num_classes)` and "
            "compile with 'categorical_crossentropy'; or floats for one "
            'sigmoid unit, `labels.astype("float32")`. '
            f"Received: labels of shape {labels.shape} and dtype {labels.dtype}"
        )


def check_top_per_class(num_per_class, class_counts, has_teacher):
    """Checks that some class has as many images as `TopPerClass` selects.

    Args:
        num_per_class: Int, the number of images to select of each class.
        class_counts: List of ints, the number of labels of each class.
        has_teacher: Boolean. A teacher will not label other images later, so
            the check raises. For a model in training it warns.

    Raises:
        ValueError: If no class has that many images and a teacher labels.
    """
    largest = max(class_counts)
    if largest >= num_per_class:
        return
    message = (
        f"No class has {num_per_class} images with a label, as `TopPerClass` "
        "asks for, so that all of them would only be repeated. Take a smaller "
        f"number or a lower threshold. Received: at most {largest} images of "
        "a class"
    )
    if has_teacher:
        raise ValueError(message)
    warnings.warn(message, stacklevel=2)
