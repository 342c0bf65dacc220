"""Checks of a model that trains a student, and of its first batch."""

import functools
import types
import warnings

import keras
import numpy as np
from keras import ops

from keras_fewlabels.data.checks import (
    check_input_shape,
    check_label_form,
    check_labels,
    check_values,
)
from keras_fewlabels.foundation import (
    NONE,
    check_argument,
    check_built,
    check_called,
    check_classifier,
    check_strategy,
    check_type,
    choice_rule,
    lagging_statistics,
    type_rule,
)
from keras_fewlabels.models.student.mixed_images import mix_by_layer
from keras_fewlabels.policies.flex_match import warn_of_order
from keras_fewlabels.policies.parts import (
    check_class_scores,
    check_one_true,
    check_policy_of,
    check_same_classes,
    scores_of_loss,
)

_IMAGES = ("labeled", "unlabeled")
_LABEL_MIXERS = {"MixUp", "CutMix", "FourierMix", "Mosaic"}
_ENTRIES = {*_IMAGES, "index", "truth"}


def check_models(student, teacher):
    """Checks that a student and a teacher can work together.

    Args:
        student: The Keras model to train.
        teacher: A Keras model, an `EMATeacher` or `None`.

    Raises:
        ValueError: If one of them has another type, is not built or not one
            classifier of images, or they share weights.
    """
    check_type(student, "student", keras.Model, "a Keras model")
    check_argument(
        teacher,
        "teacher",
        type_rule(keras.layers.Layer, "a Keras model, or an `EMATeacher`"),
        NONE,
        hint="With None, the student teaches itself",
    )
    for role, model in (("student", student), ("teacher", teacher)):
        if isinstance(model, keras.Model):
            check_built(model, role)
            check_strategy(model, role)
            check_classifier(model, role, trained=model is student)
    trained = {id(variable) for variable in student.variables}
    frozen = [] if teacher is None else teacher.variables
    if any(id(variable) in trained for variable in frozen):
        raise ValueError(
            "The teacher is frozen, so it must not share weights with the "
            "student. Pass `teacher=None` to let the student teach itself, or "
            "`keras.models.clone_model`. "
            f"Received: teacher={teacher.name!r}, student={student.name!r}"
        )


def check_noise(**layers):
    """Checks that noise comes as Keras layers, which are saved with the model.

    Args:
        **layers: Names of arguments to layers or `None`, or `"weak"` for
            `labeled_noise`.

    Raises:
        ValueError: If one of them is anything else, or mixes images with each
            other.
    """
    for name, layer in layers.items():
        example = "a Keras layer such as `layers.RandAugment()`"
        rules = [type_rule(keras.layers.Layer, example), NONE]
        if name == "labeled_noise":
            rules.insert(1, choice_rule("weak"))
        check_argument(layer, name, *rules)
        for part in (layer, *getattr(layer, "layers", ())):
            if _mixes_labels(part):
                raise ValueError(
                    f"A {type(part).__name__} mixes images with their labels, "
                    "so it cannot be noise. Pass it as `mixing`, which is "
                    f"called after the noise. Received: {name}={layer!r}"
                )


def check_mixing(layer):
    """Checks that an argument is a layer or `None`.

    Args:
        layer: Any object.

    Raises:
        ValueError: If it is anything else.
    """
    example = "a Keras layer such as `keras.layers.MixUp()`"
    rule = type_rule(keras.layers.Layer, example)
    check_argument(layer, "mixing", rule, NONE)


def _mixes_labels(layer):
    # Those of Keras and of keras-cv, which is not imported for it.
    return any(cls.__name__ in _LABEL_MIXERS for cls in type(layer).__mro__)


def check_before_fit(model, data):
    """Checks the model and the first batch before anything is trained.

    Args:
        model: A `NoisyStudentModel`.
        data: What `fit()` received as `x`. A `DataLoader` with workers or of
            a stream is not read.

    Returns:
        The data to fit on. Of a generator the first batch was read, and comes
        again.

    Raises:
        ValueError: If the model is not compiled, its outputs are not what its
            loss expects, its `mixing` takes no labels, the teacher has other
            classes, the batch is not a mixed one, its labels are not what the
            loss expects, or its images do not lie in the value range of the
            noise.
    """
    if not model.compiled:
        raise ValueError(
            "Call `model.compile(optimizer, loss)` before `fit()`. "
            f"Received: model={model.name!r}, which is not compiled"
        )
    batch, data = _first_batch(data)
    if batch is None:
        if not hasattr(data, "shape"):
            return data
        # An array, which would train without a teacher.
        batch = data
    images, labels, truth = _mixed_parts(batch)
    model.num_outputs = _check_outputs(model, images["unlabeled"][:2])
    scores = model.scores
    check_policy_of(scores, model.policy)
    if model.mixing is not None:
        two = ops.convert_to_tensor(images["unlabeled"][:2])
        mix_by_layer(model.mixing, two, ops.eye(len(two)))
    if model.mixing is not None or model.num_views > 1:
        check_one_true(scores, "A model with `mixing` or several views")
    if model.balanced_head:
        check_one_true(scores, "A model with `balanced_head`")
    model.build_for(model.num_outputs)
    one_true = scores.one_true
    num_classes = scores.num_classes(model.num_outputs)
    check_labels(labels, "labels", num_classes=num_classes, one_true=one_true)
    if truth is not None:
        # Unlabelled images may be of other classes.
        check_labels(truth, "truth", one_true=one_true)
    check_label_form(labels, scores.sparse)
    for part, array in images.items():
        for value_range in value_ranges_of(model):
            check_values(array, part, value_range)
    warn_of_order(model.policy, data)
    if isinstance(model.teacher, keras.Model):
        _warn_of_lag(model, images["labeled"], labels)
    return data


def _warn_of_lag(model, images, labels):
    """Warns if the frozen teacher was trained too briefly to predict."""
    lag = lagging_statistics(
        model.teacher,
        images,
        lambda outputs: model.scores.mean_cross_entropy(labels, outputs),
    )
    if lag is not None:
        before, after, _ = lag
        warnings.warn(
            "The statistics of the teacher's batch normalization lag behind "
            "its weights, as they do after a short training, so its "
            "pseudo-labels will be wrong. Call "
            "`loops.recalibrate_batch_norm(teacher, images)`, or build it with "
            "`BatchNormalization(momentum=0.9)`. Its cross-entropy on labelled "
            f"images is {before:.2f}, and {after:.2f} with the statistics of "
            "these images",
            stacklevel=3,
        )


def value_ranges_of(model):
    """Yields the value range of each noise layer of a model that has one."""
    for noise in (model.noise, model.weak_noise, model.labeled_noise):
        for layer in (noise, *getattr(noise, "layers", ())):
            value_range = getattr(layer, "value_range", None)
            if value_range is not None:
                yield tuple(value_range)


def _first_batch(data):
    """Returns the first batch, or `None`, and data that still have it."""
    if isinstance(data, keras.utils.PyDataset):
        return data[0], data
    if hasattr(data, "as_numpy_iterator"):
        return next(data.as_numpy_iterator(), ((), ())), data
    if isinstance(data, types.GeneratorType):
        batch = next(data, ((), ()))
        return batch, _with_first(batch, data)
    if type(data).__module__.startswith("torch.utils.data"):
        return _first_of_loader(data), data
    return None, data


def _with_first(batch, generator):
    yield batch
    # Not `yield from`, which would close the generator with this one.
    for other in generator:  # noqa: UP028
        yield other


def _first_of_loader(loader):
    import torch

    if loader.num_workers or not hasattr(loader.dataset, "__getitem__"):
        return None
    # A look must not change the order of the fit.
    generators = [torch.random.default_generator, loader.generator]
    generators = [g for g in generators if g is not None]
    states = [generator.get_state() for generator in generators]
    batch = next(iter(loader), ((), ()))
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    return batch


def _mixed_parts(batch):
    is_pair = isinstance(batch, (tuple, list)) and len(batch) >= 2
    images = batch[0] if is_pair else None
    if (
        not isinstance(images, dict)
        or not set(_IMAGES) <= set(images) <= _ENTRIES
    ):
        raise ValueError(
            "`fit()` needs batches ({'labeled': images, 'unlabeled': images}, "
            "labels), as `keras_fewlabels.data.mix_labeled_unlabeled` makes "
            "them. Received: batches of "
            f"{keras.tree.map_structure(lambda part: part.shape, batch)}"
        )
    parts = {name: np.asarray(part) for name, part in images.items()}
    labels = np.asarray(batch[1])
    for part, name, numbers in (
        ("labeled", "labels", labels),
        *(("unlabeled", n, parts[n]) for n in ("index", "truth") if n in parts),
    ):
        if numbers.shape[:1] != parts[part].shape[:1]:
            raise ValueError(
                f"A batch needs one entry of {name!r} for each of its images "
                f"{part!r}. Received: {name!r} of shape {numbers.shape} for "
                f"images of shape {parts[part].shape}"
            )
    images = {part: parts[part] for part in _IMAGES}
    return images, labels, parts.get("truth")


def _check_outputs(model, images):
    """Checks the outputs of student and teacher. Returns how many there are."""
    teacher = model.student if model.teacher is None else model.teacher
    for role, network in (("student", model.student), ("teacher", teacher)):
        check_input_shape(network, images, role)
        if isinstance(network, keras.Model):
            check_called(network, role, images)
    student_outputs, teacher_outputs = (
        check_class_scores(
            network(images, training=False),
            functools.partial(scores_of_loss, model.loss),
            role,
            is_own_loss=not isinstance(network, keras.Model)
            or network is model.student,
            model=network,
        )
        for role, network in (("student", model.student), ("teacher", teacher))
    )
    check_same_classes(student_outputs, teacher_outputs)
    return student_outputs.shape[-1]
