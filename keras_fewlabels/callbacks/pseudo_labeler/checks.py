"""What a `PseudoLabeler` needs before anything is trained."""

import numbers
import warnings

import keras

from keras_fewlabels.callbacks.pseudo_labeler.workers import worker_of
from keras_fewlabels.data.checks.images import as_array, check_input_shape
from keras_fewlabels.data.checks.labels import (
    check_label_form,
    check_labels,
    class_numbers,
    is_one_hot,
)
from keras_fewlabels.foundation.arguments import check_seed
from keras_fewlabels.policies import TopPerClass
from keras_fewlabels.policies.parts.class_probabilities import (
    check_class_scores,
    check_same_classes,
    reads_class_numbers,
    reads_logits,
)
from keras_fewlabels.policies.policy import check_policy


def check_arguments(
    policy, balance, counts, curriculum, teacher=None, seed=None
):
    """Refuses arguments of `PseudoLabeler` that cannot be.

    Args:
        policy: What should be a policy or `None`.
        balance: What should be `None`, `"repeat"`, `"truncate"` or a
            `TopPerClass`.
        counts: Dict of names to what should be ints, at least 1 (0 for
            `start`), or `None`.
        curriculum: What should be a share or `None`.
        teacher: What should be a Keras model or `None`.
        seed: What should be an int, at least 0, or `None`.

    Raises:
        ValueError: If one of them is no such thing.
    """
    if teacher is not None and not isinstance(teacher, keras.Model):
        raise ValueError(
            "`teacher` must be a Keras model, or None, with which the model "
            f"in training labels. Received: teacher={teacher!r}"
        )
    if policy is not None:
        check_policy(policy)
    check_seed(seed)
    is_top = isinstance(balance, TopPerClass)
    if not is_top and balance not in (None, "repeat", "truncate"):
        raise ValueError(
            "`balance` must be None, 'repeat', 'truncate' or a "
            f"`policies.TopPerClass`. Received: balance={balance!r}"
        )
    for name, number in counts.items():
        least = 0 if name == "start" else 1
        if not isinstance(number, int) or number < least:
            raise ValueError(
                f"`{name}` must be an int, {least} or more. "
                f"Received: {name}={number!r}"
            )
    if curriculum is None:
        return
    if not isinstance(curriculum, numbers.Real) or not 0 < curriculum <= 1:
        raise ValueError(
            "`curriculum` is the share of the images that the first round may "
            "keep, and by which it grows per round; it must be above 0 and at "
            f"most 1. Received: curriculum={curriculum!r}"
        )


def checked_truth(truth, num_unlabeled):
    """The true classes of the unlabelled images.

    Args:
        truth: What should be an array of labels, or `None`.
        num_unlabeled: Int, the number of unlabelled images.

    Returns:
        Int array of shape `(num_unlabeled,)`, or `None`.

    Raises:
        ValueError: If there is not one label per image.
    """
    if truth is None:
        return None
    truth = as_array(truth, "truth")
    check_labels(truth, "truth", num_images=num_unlabeled)
    return class_numbers(truth)


def check_before_fit(labeler, batches):
    """Refuses model, teacher and data that do not fit each other.

    Args:
        labeler: The `PseudoLabeler`, whose `model` is set.
        batches: What `mixed_with` made, or `None`.

    Returns:
        `(from_logits, num_classes)`: whether the model that labels gives
        logits, and of how many classes.

    Raises:
        ValueError: If there are no batches, or the fit does not read them as
            they are, outputs are no class scores, the classes of model and
            teacher differ, or the labels are not what the loss takes.
    """
    if batches is None:
        raise ValueError(
            "The fit would not see the pseudo-labels. Fit on "
            "`labeler.mixed_with(labeled)`. Received: a PseudoLabeler whose "
            "`mixed_with` was not called"
        )
    _check_feed(labeler.params.get("steps"), batches)
    loss = labeler.model.loss
    sample = labeler.source.first(2)
    check_input_shape(labeler.model, sample, "model")
    outputs = worker_of(labeler.model).predict(sample, 2)
    from_logits = reads_logits(loss)
    check_class_scores(outputs, from_logits, "model")
    if labeler.teacher is not None:
        # A teacher without a loss of its own is taken to share the model's.
        if labeler.teacher.compiled:
            from_logits = reads_logits(labeler.teacher.loss)
        check_input_shape(labeler.teacher, sample, "teacher")
        taught = worker_of(labeler.teacher).predict(sample, 2)
        check_class_scores(taught, from_logits, "teacher")
        check_same_classes(outputs, taught)
    num_classes = outputs.shape[-1]
    check_labels(batches.labels, "labels of labeled", num_classes=num_classes)
    check_label_form(batches.labels, reads_class_numbers(loss))
    if not labeler.policy.built:
        labeler.policy.build((None, num_classes))
    return from_logits, num_classes


def check_soft_targets(is_soft, labels):
    """Refuses soft targets beside true labels that are class numbers.

    Args:
        is_soft: Boolean, whether the policy gives soft targets.
        labels: Array of true labels.

    Raises:
        ValueError: If they cannot be put into one batch.
    """
    if is_soft and not is_one_hot(labels):
        raise ValueError(
            "Soft pseudo-labels need one-hot true labels beside them: "
            "pass `keras.utils.to_categorical(labels, num_classes)` and "
            "compile with 'categorical_crossentropy'. "
            f"Received: labels of shape {labels.shape}"
        )


def check_top_per_class(labeler):
    """Says so if no class has as many images as it should be seen.

    Args:
        labeler: The `PseudoLabeler`, after a labelling.

    Raises:
        ValueError: If a teacher has labelled, whom waiting would not help. A
            model in training gets a warning.
    """
    if not isinstance(labeler.balance, TopPerClass):
        return
    largest = max(labeler.rounds[-1]["class_counts"])
    if largest >= labeler.balance.num_per_class:
        return
    message = (
        f"No class has {labeler.balance.num_per_class} images with a label, "
        "as `TopPerClass` asks for, so that all of them would only be "
        "repeated. Take a smaller number or a lower threshold. Received: at "
        f"most {largest} images of a class"
    )
    if labeler.teacher is not None:
        raise ValueError(message)
    warnings.warn(message, stacklevel=2)


def _check_feed(steps, batches):
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
