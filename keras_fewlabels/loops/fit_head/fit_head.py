from keras_fewlabels.callbacks.fine_tune.find_backbone import (
    check_model,
    find_backbone,
)
from keras_fewlabels.callbacks.fine_tune.trainable_flags import TrainableFlags
from keras_fewlabels.callbacks.fine_tune.widen_optimizer import widen_optimizer
from keras_fewlabels.data.checks import check_labels
from keras_fewlabels.evaluation.frozen_features.with_pseudo_labels import (
    with_pseudo_labels,
)
from keras_fewlabels.foundation import (
    check_bool,
    check_called,
    check_int,
    check_scores_shape,
    check_verbose,
    compile_settings,
)
from keras_fewlabels.loops.check_compiled import check_compiled
from keras_fewlabels.loops.class_balance import (
    are_uneven,
    check_balanced,
    class_weights,
)
from keras_fewlabels.loops.fit_head.split_at_backbone import split_at_backbone
from keras_fewlabels.loops.fit_head.stored_features import (
    stored_features,
    unlabeled_features,
)
from keras_fewlabels.policies.parts import check_own_activation, scores_of_loss


def fit_head(
    model,
    backbone,
    labeled,
    unlabeled=None,
    *,
    balanced=None,
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
    weight of a label. A model with a sigmoid for each of several labels learns
    each of them in this way, by itself.

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
        balanced: Optional boolean, with `unlabeled`. If `True`, all classes
            count alike, however many labels each has: the labels of rare
            classes weigh more, and the classifier that makes pseudo-labels
            adjusts its logits to the shares of the classes. By default it is
            `True` where the most frequent class has more than 1.5 times the
            labels of the rarest, as the setting of that name in
            `fit_noisy_student`. Images of several labels have no class to
            weigh.
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
            with a label each, a dataset does not end, there are unlabelled
            images and the model is no classifier with a cross-entropy of
            Keras, or `balanced=True` is passed without unlabelled images or
            for several labels.

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
    _check_unlabeled(model, unlabeled, balanced)
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
                model, extractor, arrays, unlabeled, balanced, verbose
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


def _check_unlabeled(model, unlabeled, balanced):
    """Checks what is about unlabelled images, before anything is predicted."""
    check_bool(balanced, "balanced", optional=True)
    if unlabeled is not None:
        check_balanced(balanced, _scores_of(model))
    elif balanced:
        raise ValueError(
            "`balanced=True` is for pseudo-labels, and needs `unlabeled`. To "
            "weigh labels alone, pass sample weights with them. Received: "
            f"balanced={balanced}, unlabeled=None"
        )


def _with_unlabeled(model, extractor, arrays, unlabeled, balanced, verbose):
    """Adds the features of unlabelled images, with soft labels."""
    scores = _scores_of(model)
    num_classes = scores.num_classes(model.output_shape[-1])
    features, labels, weights = arrays
    check_labels(
        labels,
        "labels of labeled",
        num_classes=num_classes,
        one_true=scores.one_true,
    )
    counts = scores.count_classes(labels, num_classes)
    if balanced is None:
        balanced = scores.one_true and are_uneven(counts)
    if balanced:
        of_classes = class_weights(counts).astype("float32")
        of_labels = of_classes[scores.as_decisions(labels)]
        weights = of_labels if weights is None else weights * of_labels
    arrays = features, labels, weights
    features = unlabeled_features(extractor, unlabeled, verbose)
    return with_pseudo_labels(arrays, features, num_classes, scores, balanced)


def _scores_of(model):
    """Returns the kind of scores of a classifier."""
    outputs = model.output_shape
    check_scores_shape(outputs, "model")
    scores = scores_of_loss(model.loss, outputs[-1])
    check_own_activation(scores, model, "model")
    return scores


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
