import keras
import numpy as np

from keras_fewlabels.callbacks.fine_tune.find_backbone import (
    check_model,
    find_backbone,
)
from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags
from keras_fewlabels.callbacks.fine_tune.widen_optimizer import widen_optimizer
from keras_fewlabels.layers.model_graph import graph_of
from keras_fewlabels.loops.check_compiled import check_compiled


def fit_head(
    model,
    backbone,
    x,
    y=None,
    validation_data=None,
    batch_size=None,
    epochs=1,
    callbacks=None,
    verbose="auto",
):
    """Trains what follows a backbone, on features that are computed once.

    In `fit()` a frozen backbone computes the same features in every epoch.
    Here it sees each image once, in inference mode, and the head is trained
    on the stored features, which takes seconds where it took minutes. Random
    augmentation and dropout up to the end of the backbone have no effect.

    The model's own optimizer, loss and metrics are used, so that `fit()` with
    `FineTune` can follow and goes on with iterations and optimizer state.

    Args:
        model: Compiled functional or `Sequential` model.
        backbone: The layer or model inside `model` that computes the
            features, or its name, as for `callbacks.FineTune`.
        x: Array of images, or a finite dataset of batches `(x, y)` or
            `(x, y, sample_weight)`: `tf.data.Dataset` or `PyDataset`.
        y: Array of labels if `x` is an array.
        validation_data: Optional pair of arrays, or dataset as `x`.
        batch_size: Int. Defaults to 32, or to that of the dataset.
        epochs: Int, epochs over the stored features.
        callbacks: Optional list of callbacks. Their `model` is the head.
        verbose: As in `fit()`.

    Returns:
        The `keras.callbacks.History` of the head's training.

    Raises:
        ValueError: If the model is not compiled, the backbone is not in it or
            has trainable layers in front of it, or a dataset does not end.

    Example:
    >>> backbone = keras.Sequential(
    ...     [keras.Input((8,)), keras.layers.Dense(4)], name="backbone"
    ... )
    >>> model = keras.Sequential([backbone, keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> before = backbone.get_weights()
    >>> history = keras_fewlabels.loops.fit_head(
    ...     model, "backbone", np.ones((4, 8)), np.ones((4, 1)), verbose=0
    ... )
    >>> np.array_equal(backbone.get_weights()[0], before[0])
    True
    """
    check_compiled(model)
    check_model(model)
    backbone = find_backbone(model, backbone)
    extractor, head = split_at_backbone(model, backbone)
    is_array = y is not None or hasattr(x, "shape")
    data = (x, y) if is_array else x
    arrays, batch_size = stored_features(extractor, data, batch_size)
    if validation_data is not None:
        validation_data, _ = stored_features(
            extractor, validation_data, batch_size
        )
    _check_labels(*arrays[:2])
    flags = TrainableFlags(backbone)
    flags.apply([], freeze_batch_norm=True)
    try:
        _compile_as(head, model)
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


def _check_labels(features, labels):
    shapes = [np.shape(part) for part in keras.tree.flatten(labels)]
    if any(shape[:1] != (len(features),) for shape in shapes):
        raise ValueError(
            "A head needs labels, one label per image. "
            f"Received: labels of shapes {shapes} for {len(features)} images"
        )


def _compile_as(head, model):
    trained = [
        list(map(id, part.trainable_variables)) for part in (head, model)
    ]
    if trained[0] != trained[1]:
        raise ValueError(
            "All that trains beside the backbone must come after it, for the "
            "features are computed once. Freeze the layers in front of it, or "
            "use `fit()` with `FineTune`. Received: model="
            f"{model.name!r} with {len(trained[1])} trainable variables, "
            f"{len(trained[0])} of them after the backbone"
        )
    widen_optimizer(model, model.trainable_variables)
    # The same optimizer, loss and metrics, not copies made from their config.
    settings = dict(model._compile_config.config)
    head.compile(**{**settings, "optimizer": model.optimizer})


def split_at_backbone(model, backbone):
    """Splits a model into what computes features and what classifies them.

    Args:
        model: A built functional or `Sequential` model.
        backbone: A layer or model that `model` calls once, or a model on
            whose layers `model` was built.

    Returns:
        Two models that share their layers with `model`: from its inputs to
        the output of the backbone, and from there to its outputs.

    Raises:
        ValueError: If the model has no graph, does not call the backbone just
            once, or its outputs depend on more than the backbone.
    """
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            "Only a functional or `Sequential` model can be split at its "
            f"backbone. Received: model={model!r}"
        )
    features = _features_in(graph, backbone)
    try:
        head = keras.Model(features, graph.outputs)
    except ValueError as error:
        raise ValueError(
            "What follows the backbone takes something else beside its "
            "output, so the features alone are not enough. "
            f"Received: backbone={backbone.name!r}"
        ) from error
    return keras.Model(graph.inputs, features), head


def _features_in(graph, backbone):
    nodes = [node for part in graph._nodes_by_depth.values() for node in part]
    found = [node.outputs for node in nodes if node.operation is backbone]
    if not found and isinstance(backbone, keras.Model):
        ids = {id(tensor) for node in nodes for tensor in node.outputs}
        if all(id(tensor) in ids for tensor in backbone.outputs):
            found = [backbone.outputs]
    if len(found) != 1 or len(found[0]) != 1:
        raise ValueError(
            "The model must call the backbone once, on the level of its own "
            "layers, and the backbone must have one output. Received: "
            f"backbone={backbone.name!r}, called {len(found)} times"
        )
    return found[0][0]


def stored_features(extractor, data, batch_size=None):
    """What a model predicts for a whole dataset, with its labels.

    Args:
        extractor: Model that maps images to features, all in inference mode.
        data: Pair or triple of arrays `(x, y)` or `(x, y, sample_weight)`, or
            a finite `tf.data.Dataset` or `PyDataset` of such batches.
        batch_size: Int. Defaults to 32, or to that of the dataset's first
            batch.

    Returns:
        Triple of arrays, features, labels and sample weights (`None` without
        any), and the batch size.

    Raises:
        ValueError: If the dataset has no end or no batch.
    """
    if isinstance(data, (tuple, list)):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(tuple(data))
        batch_size = batch_size or 32
        features = extractor.predict(x, batch_size=batch_size, verbose=0)
        return (features, y, sample_weight), batch_size
    columns = []
    for batch in _batches_of(data):
        x, *rest = keras.utils.unpack_x_y_sample_weight(batch)
        columns.append((extractor.predict_on_batch(x), *rest))
    if not columns:
        raise ValueError(f"The dataset has no batch. Received: {data!r}")
    arrays = tuple(map(_joined, zip(*columns, strict=True)))
    return arrays, batch_size or len(columns[0][0])


def _batches_of(data):
    if isinstance(data, keras.utils.PyDataset):
        if data.num_batches is None:
            raise _endless(data)
        return (data[index] for index in range(data.num_batches))
    if hasattr(data, "cardinality") and int(data.cardinality()) == -1:
        raise _endless(data)
    return data


def _endless(data):
    return ValueError(
        "Features are stored once for the whole dataset, so it must have an "
        "end: leave `repeat()` out, or take a number of batches. "
        f"Received: {data!r}"
    )


def _joined(batches):
    if batches[0] is None:
        return None
    return np.concatenate([keras.ops.convert_to_numpy(b) for b in batches])
