from keras_fewlabels.callbacks.learning_rate_finder import LearningRateFinder
from keras_fewlabels.loops.check_compiled import check_compiled


def find_learning_rate(
    model,
    x,
    y=None,
    *,
    batch_size=None,
    min_rate=1e-6,
    max_rate=1.0,
    num_steps=100,
    verbose="auto",
):
    """Tests growing learning rates on a model, which stays as it is.

    Trains the model for at most `num_steps` batches while the learning rate
    grows. Then the model gets back its weights, optimizer and random numbers,
    also after an error or Ctrl-C. Use the same data, batch size and
    augmentation as for the training that follows.

    Args:
        model: Compiled Keras model, whose learning rate is a float.
        x: Array, `tf.data.Dataset` or `PyDataset`, as for `fit()`.
        y: Array of labels, if `x` is an array.
        batch_size: Optional int, for arrays.
        min_rate: Positive float, the first learning rate.
        max_rate: Float, the last learning rate.
        num_steps: Int, the number of batches.
        verbose: As for `fit()`.

    Returns:
        A `callbacks.LearningRateFinder`. Its `suggestion` is the learning
        rate to take, and its `figure()` shows why. It can be printed, and
        `save(folder)` writes it.

    Raises:
        ValueError: If the model is not compiled, takes several steps at once
            or has a schedule as its learning rate, or if an argument is out
            of its range.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).normal(size=(64, 4))
    >>> finder = keras_fewlabels.loops.find_learning_rate(
    ...     model, x, x[:, :1], batch_size=8, verbose=0
    ... )
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
        # Keras warns that it does not shuffle a `tf.data.Dataset`.
        shuffle=not hasattr(x, "element_spec"),
    )
    return finder
