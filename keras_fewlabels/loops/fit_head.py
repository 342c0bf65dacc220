import keras
import numpy as np

from keras_fewlabels.callbacks.find_backbone import find_backbone
from keras_fewlabels.callbacks.fine_tune_arguments import check_model
from keras_fewlabels.callbacks.trainable_flags import TrainableFlags
from keras_fewlabels.callbacks.widen_optimizer import widen_optimizer
from keras_fewlabels.loops.check_compiled import check_compiled
from keras_fewlabels.loops.split_at_backbone import split_at_backbone
from keras_fewlabels.loops.stored_features import stored_features


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
