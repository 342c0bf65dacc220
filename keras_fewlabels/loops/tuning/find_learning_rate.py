from keras_fewlabels.callbacks.learning_rate_finder import LearningRateFinder
from keras_fewlabels.loops.check_compiled import check_compiled


def find_learning_rate(
    model,
    x,
    y=None,
    batch_size=None,
    min_rate=1e-6,
    max_rate=1.0,
    num_steps=100,
    verbose=0,
):
    """Tests growing learning rates on a model, which stays as it is.

    Trains the model for at most `num_steps` batches while the learning rate
    grows, then gives weights and optimizer back what they were. Use the same
    data, batch size and augmentation as for the training that follows.

    Args:
        model: Compiled Keras model, whose learning rate is a float.
        x: What `fit()` takes: array, `tf.data.Dataset` or `PyDataset`.
        y: Array of labels, if `x` is an array.
        batch_size: Optional int, for arrays.
        min_rate: Positive float, the first learning rate.
        max_rate: Float, the last one.
        num_steps: Int, the number of batches.
        verbose: As for `fit()`.

    Returns:
        The `callbacks.LearningRateFinder`: `suggestion` is the learning rate
        to take; `plots.learning_rates(finder.rates, finder.losses,
        finder.suggestion)` shows why.

    Raises:
        ValueError: As for `callbacks.LearningRateFinder`, or if the model is
            not compiled.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).normal(size=(64, 4))
    >>> find_learning_rate = keras_fewlabels.loops.find_learning_rate
    >>> finder = find_learning_rate(model, x, x[:, :1], batch_size=8)
    >>> model.optimizer.learning_rate = finder.suggestion
    """
    check_compiled(model)
    finder = LearningRateFinder(min_rate, max_rate, num_steps)
    model.fit(
        x,
        y,
        batch_size=batch_size,
        # Every epoch has a batch; the finder ends the fit in time.
        epochs=num_steps,
        callbacks=[finder],
        verbose=verbose,
    )
    return finder
