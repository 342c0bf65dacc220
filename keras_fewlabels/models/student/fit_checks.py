"""What a model with a teacher needs before its first step."""

import math
import numbers

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.checks.images import check_input_shape, check_values
from keras_fewlabels.data.checks.labels import check_label_form, check_labels
from keras_fewlabels.policies.parts.class_probabilities import (
    check_class_scores,
    check_same_classes,
    reads_class_numbers,
    reads_logits,
)

_IMAGES = ("labeled", "unlabeled")
_KNOWN = {*_IMAGES, "index", "truth"}


def check_models(student, teacher):
    """Refuses a student and a teacher that cannot work together.

    Args:
        student: The Keras model to train.
        teacher: A Keras model, an `EMATeacher` or `None`.

    Raises:
        ValueError: If one is not built or they share weights.
    """
    for role, model in (("student", student), ("teacher", teacher)):
        if isinstance(model, keras.Model) and not model.built:
            raise ValueError(
                f"The {role} must be built, so that its weights exist. Add a "
                "`keras.Input`, or call `model.build(input_shape)`. "
                f"Received: {role}={model.name!r}"
            )
    if not isinstance(student, keras.Model):
        raise ValueError(
            f"The student must be a Keras model. Received: student={student!r}"
        )
    if teacher is None:
        return
    if not isinstance(teacher, keras.layers.Layer):
        raise ValueError(
            "The teacher must be a Keras model, an `EMATeacher`, or `None`, "
            "with which the student teaches itself. "
            f"Received: teacher={teacher!r}"
        )
    trained = {id(variable) for variable in student.variables}
    if any(id(variable) in trained for variable in teacher.variables):
        raise ValueError(
            "The teacher is frozen, so it must not share weights with the "
            "student. Pass `teacher=None` to let the student teach itself, or "
            "`keras.models.clone_model`. "
            f"Received: teacher={teacher.name!r}, student={student.name!r}"
        )


def check_noise(**layers):
    """Refuses noise that is no layer.

    Args:
        **layers: Names of arguments to what should be layers or `None`, or
            `"weak"` for `labeled_noise`.

    Raises:
        ValueError: If one of them is no such thing.
    """
    for name, layer in layers.items():
        if layer is None or isinstance(layer, keras.layers.Layer):
            continue
        if name == "labeled_noise" and layer == "weak":
            continue
        also = ', or "weak"' if name == "labeled_noise" else ""
        raise ValueError(
            f"`{name}` must be a Keras layer, so that it is saved with the "
            f"model, such as `layers.RandAugment()`{also}. "
            f"Received: {name}={layer!r}"
        )


def check_weight(weight, argument):
    """Refuses what cannot weigh a loss.

    Args:
        weight: What should be a number of at least 0.
        argument: String, how the caller calls it.

    Raises:
        ValueError: If it is no finite number of at least 0.
    """
    is_number = isinstance(weight, numbers.Real) and math.isfinite(weight)
    if not (is_number and weight >= 0):
        raise ValueError(
            f"`{argument}` must be a number, 0 or more: what a part of the "
            f"loss is multiplied by. Received: {argument}={weight!r}"
        )


def check_before_fit(model, data):
    """Looks at the model and the first batch before anything is trained.

    Args:
        model: A `NoisyStudentModel`.
        data: What `fit()` received as `x`. Data that can be read only once
            are left alone.

    Raises:
        ValueError: If the model is not compiled, its outputs are not what its
            loss expects, the teacher has other classes, or the batch is not a
            mixed one, has labels that do not fit, or images that do not lie
            in the value range of the noise.
    """
    if not model.compiled:
        raise ValueError(
            "Call `model.compile(optimizer, loss)` before `fit()`. "
            f"Received: model={model.name!r}, which is not compiled"
        )
    batch = _first_batch(data)
    if batch is None:
        if not hasattr(data, "shape"):
            return
        # An array, which would train without a teacher.
        batch = data
    images, labels = _mixed_parts(batch)
    num_classes = _check_outputs(model, images["unlabeled"][:2])
    model.build_for(num_classes)
    check_labels(labels, "labels", num_classes=num_classes)
    check_label_form(labels, reads_class_numbers(model.loss))
    for part, array in images.items():
        for value_range in value_ranges_of(model):
            check_values(array, part, value_range)


def count_steps(data, steps_per_epoch, needed):
    """How many steps an epoch has.

    Args:
        data: What `fit()` received as `x`.
        steps_per_epoch: What `fit()` received.
        needed: Boolean, whether the method changes in the course of a fit.

    Returns:
        Int; 1 where it is neither known nor needed.

    Raises:
        ValueError: If it is needed and not known.
    """
    if steps_per_epoch is not None:
        return steps_per_epoch
    try:
        return len(data)
    except TypeError:
        if not needed:
            return 1
        raise ValueError(
            "The weight of the unlabelled loss changes in the course of the "
            "fit, so the number of steps must be known. Pass "
            "`fit(steps_per_epoch=...)`. "
            f"Received: {type(data).__name__} of unknown length"
        ) from None


def _first_batch(data):
    if isinstance(data, keras.utils.PyDataset):
        return data[0]
    if hasattr(data, "as_numpy_iterator"):
        return next(data.as_numpy_iterator(), ((), ()))
    return None


def _mixed_parts(batch):
    is_pair = isinstance(batch, (tuple, list)) and len(batch) >= 2
    images = batch[0] if is_pair else None
    if (
        not isinstance(images, dict)
        or not set(_IMAGES) <= set(images) <= _KNOWN
    ):
        raise ValueError(
            "`fit()` needs batches ({'labeled': images, 'unlabeled': images}, "
            "labels), as `keras_fewlabels.data.mix_labeled_unlabeled` makes "
            "them. Received: batches of "
            f"{keras.tree.map_structure(lambda part: part.shape, batch)}"
        )
    images = {part: np.asarray(images[part]) for part in _IMAGES}
    return images, np.asarray(batch[1])


def _check_outputs(model, images):
    """Checks what student and teacher predict; returns the classes."""
    teacher = model.student if model.teacher is None else model.teacher
    from_logits = reads_logits(model.loss)
    for role, network in (("student", model.student), ("teacher", teacher)):
        check_input_shape(network, images, role)
    student_outputs, teacher_outputs = (
        ops.convert_to_numpy(predict(images, training=False))
        for predict in (model.student, teacher)
    )
    check_class_scores(student_outputs, from_logits, "student")
    check_class_scores(teacher_outputs, from_logits, "teacher")
    check_same_classes(student_outputs, teacher_outputs)
    return student_outputs.shape[-1]


def value_ranges_of(model):
    for noise in (model.noise, model.weak_noise, model.labeled_noise):
        for layer in (noise, *getattr(noise, "layers", ())):
            value_range = getattr(layer, "value_range", None)
            if value_range is not None:
                yield tuple(value_range)
