import functools
import operator

import keras
import numpy as np

from keras_fewlabels.callbacks.fine_tune.find_backbone import (
    check_model,
    find_backbone,
)
from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags
from keras_fewlabels.callbacks.fine_tune.widen_optimizer import widen_optimizer
from keras_fewlabels.data.checks import check_labels
from keras_fewlabels.data.sources import (
    image_source,
    is_dataset,
    read_elements,
)
from keras_fewlabels.evaluation.frozen_features.self_training import (
    with_pseudo_labels,
)
from keras_fewlabels.foundation import (
    check_called,
    check_int,
    check_scores_shape,
    check_verbose,
    compile_settings,
    graph_of,
    model_between,
    nodes_in_order,
    trace_predict,
)
from keras_fewlabels.loops.check_compiled import check_compiled
from keras_fewlabels.policies.parts import check_one_true, scores_of_loss

# Images that are in memory at a time.
_PIECE = 1024


def fit_head(
    model,
    backbone,
    labeled,
    unlabeled=None,
    *,
    validation_data=None,
    batch_size=None,
    epochs=1,
    callbacks=None,
    verbose="auto",
):
    """Trains the layers after a backbone, on features that are computed once.

    In `fit()`, a frozen backbone computes the same features in every epoch.
    Here it sees each image once, in inference mode, and the head is trained
    on the stored features. This takes seconds instead of minutes. Random
    augmentation and dropout up to the end of the backbone have no effect.

    With `unlabeled`, the labels spread to the nearest neighbours among the
    features, and a linear classifier learns them and its own predictions in
    rounds. The head learns the result as soft labels, each with a fifth of the
    weight of a label.

    The model's own optimizer, loss and metrics are used. `fit()`, also with
    `callbacks.FineTune`, can follow, and continues with the same iterations
    and optimizer state.

    Args:
        model: Compiled functional or `Sequential` model.
        backbone: The layer or model inside `model` that computes the
            features, or its name, as for `callbacks.FineTune`. `None` is
            the one that has most of the parameters, which is that of
            `models.classifier`.
        labeled: Pair `(images, labels)` or triple with sample weights, of
            arrays; or a finite `tf.data.Dataset` or `PyDataset` of such
            batches. The images may also be `data.ImageFiles`.
        unlabeled: Optional images without labels: an array, `data.ImageFiles`
            or a dataset, as for `PseudoLabeler`.
        validation_data: Optional, as `labeled`.
        batch_size: Int. Defaults to 32, or to that of the dataset.
        epochs: Int, epochs over the stored features.
        callbacks: Optional list of callbacks. Their `model` is the head.
        verbose: As for `fit()`. Also shows the progress of the backbone.

    Returns:
        The `keras.callbacks.History` of the head's training.

    Raises:
        ValueError: If the model is not compiled, the backbone is not in the
            model or has trainable layers in front of it, the model
            preprocesses images outside of its layers, the data are not images
            with a label each, a dataset does not end, or there are unlabelled
            images and the model is no classifier of classes of which one is
            true, with a cross-entropy of Keras.

    Example:

    >>> backbone = keras.Sequential(
    ...     [keras.Input((8,)), keras.layers.Dense(4)], name="backbone"
    ... )
    >>> model = keras.Sequential([backbone, keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> before = backbone.get_weights()
    >>> history = keras_fewlabels.loops.fit_head(
    ...     model, "backbone", (np.ones((4, 8)), np.ones((4, 1))), verbose=0
    ... )
    >>> np.array_equal(backbone.get_weights()[0], before[0])
    True
    """
    check_compiled(model)
    check_model(model)
    verbose = check_verbose(verbose)
    if batch_size is not None:
        check_int(batch_size, "batch_size")
    check_called(model, "model")
    backbone = find_backbone(model, backbone)
    extractor, head = split_at_backbone(model, backbone)
    trained_later = model.trainable_variables
    flags = TrainableFlags(backbone)
    flags.apply([], freeze_batch_norm=True)
    try:
        _check_trained(head, model)
        arrays, batch_size = stored_features(
            extractor, labeled, "labeled", batch_size, verbose
        )
        if unlabeled is not None:
            arrays = _with_unlabeled(
                model, extractor, arrays, unlabeled, verbose
            )
        if validation_data is not None:
            validation_data, _ = stored_features(
                extractor,
                validation_data,
                "validation_data",
                batch_size,
                verbose,
            )
        widen_optimizer(model, trained_later)
        # The same optimizer, loss and metrics, not copies made from configs.
        settings = {**compile_settings(model), "optimizer": model.optimizer}
        head.compile(**settings)
        features, labels, sample_weight = arrays
        return head.fit(
            features,
            labels,
            sample_weight=sample_weight,
            validation_data=validation_data,
            batch_size=batch_size,
            epochs=epochs,
            callbacks=callbacks,
            verbose=verbose,
        )
    finally:
        flags.restore()


def _with_unlabeled(model, extractor, arrays, unlabeled, verbose):
    """Adds the features of unlabelled images, with soft labels."""
    outputs = model.output_shape
    check_scores_shape(outputs, "model")
    scores = scores_of_loss(model.loss, outputs[-1])
    check_one_true(scores, "`fit_head` with `unlabeled`")
    num_classes = scores.num_classes(outputs[-1])
    check_labels(arrays[1], "labels of labeled", num_classes=num_classes)
    source = image_source(unlabeled)
    bar = keras.utils.Progbar(len(source), verbose=verbose, unit_name="image")
    features = []
    for piece in source.pieces(_PIECE):
        features.append(_predicted(extractor, piece, 64))
        bar.add(len(piece))
    return with_pseudo_labels(
        arrays, np.concatenate(features), num_classes, scores
    )


def _check_trained(head, model):
    """Checks that, with a frozen backbone, only the head has variables."""
    in_head, in_model = (
        list(map(id, part.trainable_variables)) for part in (head, model)
    )
    if in_head != in_model:
        raise ValueError(
            "All layers that train beside the backbone must come after it, "
            "because the features are computed once. Freeze the layers in "
            "front of it, or use `fit()` with `FineTune`. Received: model="
            f"{model.name!r} with {len(in_model)} trainable variables, "
            f"{len(in_head)} of them after the backbone"
        )


def split_at_backbone(model, backbone):
    """Splits a model into a feature extractor and a head.

    Args:
        model: A built functional or `Sequential` model.
        backbone: A layer or model that `model` calls once, or a model on
            whose layers `model` was built.

    Returns:
        Two models that share their layers with `model`: from its inputs to
        the output of the backbone, and from there to its outputs.

    Raises:
        ValueError: If the model has no graph, does not call the backbone
            exactly once, or its outputs depend on more than the backbone.
    """
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            "Only a functional or `Sequential` model can be split at its "
            f"backbone. Received: model={model!r}"
        )
    features = _output_of_backbone(graph, backbone)
    try:
        # Outputs and inputs keep their structure and names.
        head = model_between(features, graph.output)
    except ValueError as error:
        raise ValueError(
            "The layers after the backbone take other inputs beside its "
            "output, so the features alone are not enough. "
            f"Received: backbone={backbone.name!r}"
        ) from error
    return keras.Model(graph.input, features), head


def _output_of_backbone(graph, backbone):
    nodes = nodes_in_order(graph)
    calls = [node.outputs for node in nodes if node.operation is backbone]
    if not calls and isinstance(backbone, keras.Model):
        # Its layers may be part of the graph, without a call of the model.
        ids = {id(tensor) for node in nodes for tensor in node.outputs}
        if all(id(tensor) in ids for tensor in backbone.outputs):
            calls = [backbone.outputs]
    if len(calls) != 1 or len(calls[0]) != 1:
        raise ValueError(
            "The model must call the backbone once, on the level of its own "
            "layers, and the backbone must have one output. Received: "
            f"backbone={backbone.name!r}, called {len(calls)} times"
        )
    return calls[0][0]


def stored_features(extractor, data, argument, batch_size=None, verbose=0):
    """Computes the features of all images, and collects their labels.

    Args:
        extractor: Model that maps images to features, called in inference
            mode.
        data: Pair `(x, y)` or triple `(x, y, sample_weight)` of arrays, or a
            finite `tf.data.Dataset` or `PyDataset` of such batches.
        argument: String, the name of the argument in errors.
        batch_size: Int, for arrays. Defaults to 32.
        verbose: 0, 1 or 2, as for `keras.utils.Progbar`.

    Returns:
        Triple of arrays, features, labels and sample weights (`None` without
        any), and the number of images in a batch: `batch_size`, or the size
        of the first batch.

    Raises:
        ValueError: If there is no image, or not one label per image, or if
            the dataset has no end.
    """
    if is_dataset(data):
        batches, num_images = read_elements(data, argument), None
        predict = extractor.predict_on_batch
    else:
        _check_arrays(data, argument)
        batches, num_images = _slices(data, _PIECE), len(data[0])
        batch_size = batch_size or min(32, num_images)
        predict = functools.partial(
            _predicted, extractor, batch_size=batch_size
        )
    bar = keras.utils.Progbar(num_images, verbose=verbose, unit_name="image")
    columns = []
    for batch in batches:
        images, *rest = keras.utils.unpack_x_y_sample_weight(batch)
        columns.append((predict(images), *rest))
        bar.add(len(columns[-1][0]))
    if not columns:
        raise ValueError(
            f"`{argument}` must hold at least one image. "
            f"Received: {argument} without any"
        )
    features, labels, weights = map(_concatenate, zip(*columns, strict=True))
    bar.update(len(features), finalize=True)
    _check_labels(len(features), labels)
    return (features, labels, weights), batch_size or len(columns[0][0])


def _predicted(extractor, images, batch_size):
    trace_predict(extractor, images)
    return extractor.predict(images, batch_size=batch_size, verbose=0)


def _check_arrays(data, argument):
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise ValueError(
            f"`{argument}` must be a pair (images, labels) of arrays, or a "
            "`tf.data.Dataset` or `keras.utils.PyDataset` of such batches. A "
            f"head needs labels. Received: {argument} of type "
            f"{type(data).__name__}"
        )
    _check_labels(len(data[0]), data[1:])


def _slices(arrays, batch_size):
    for start in range(0, len(arrays[0]), batch_size):
        rows = slice(start, start + batch_size)
        yield keras.tree.map_structure(operator.itemgetter(rows), tuple(arrays))


def _check_labels(num_images, labels):
    shapes = [np.shape(part) for part in keras.tree.flatten(labels)]
    if any(shape[:1] != (num_images,) for shape in shapes):
        raise ValueError(
            "A head needs labels, one label per image. "
            f"Received: labels of shapes {shapes} for {num_images} images"
        )


def _concatenate(batches):
    return keras.tree.map_structure(
        lambda *parts: (
            None
            if parts[0] is None
            else np.concatenate(list(map(keras.ops.convert_to_numpy, parts)))
        ),
        *batches,
    )
