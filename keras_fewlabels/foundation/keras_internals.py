"""Every private member of Keras that this package uses.

No other file touches a private member. When a new version of Keras changes
one, `tests/foundation/test_keras_internals.py` fails with its name.
"""

import contextlib

import keras
from keras import ops
from keras.src.backend.common import global_state


def build_at_init(layer):
    """Marks a layer without weights as built, as Keras does with its own.

    Call it at the end of `__init__`. A subclass that has a `build` is left
    for that.
    """
    layer._build_at_init()


def flatten_layers(layer, include_self=True, recursive=True):
    """Returns the layers inside a layer or model, itself first.

    In public, Keras lists the direct layers of a model, and no layers of a
    layer.
    """
    return list(layer._flatten_layers(include_self, recursive))


def has_layers(layer):
    """Returns whether a layer consists of other layers."""
    return bool(layer._layers)


def own_trainable_variables(layer):
    """Returns the trainable variables of a layer, frozen or not.

    Those of layers inside of it are not among them. The public property is
    empty while the layer is frozen.
    """
    return list(layer._trainable_variables)


@contextlib.contextmanager
def own_dtypes():
    """Opens a scope in which variables are read in the dtype that they have.

    In the `call` of a layer of mixed precision, Keras casts float variables
    to the compute dtype of the layer when they are read. In this scope the
    layers that are called there decide for themselves.
    """
    name = "autocast_scope"
    outer = global_state.get_global_attribute(name)
    global_state.set_global_attribute(name, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(name, outer)


def graph_of(model):
    """Returns the functional model that holds the layers of a model.

    A built `Sequential` model has its graph in a private attribute.

    Args:
        model: Keras model or layer.

    Returns:
        Functional Keras model, or `None` if there is no graph.
    """
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def is_graph(layer):
    """Returns whether a layer is a functional or `Sequential` model."""
    return isinstance(layer, keras.Sequential) or (
        isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth")
    )


def nodes_in_order(graph):
    """Returns the nodes of a functional model, those at the inputs first.

    In public, Keras shows the layers, but not which call takes which tensors.
    """
    depths = sorted(graph._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in graph._nodes_by_depth[depth]]


def input_tensors_of_calls(layer):
    """Returns a list with the input tensors of each call of a layer."""
    return [node.input_tensors for node in layer._inbound_nodes]


def copy_input(tensor):
    """Returns a new `keras.Input` like another one.

    Without a name, Keras names the copy after the tensor, not the layer.
    """
    name = tensor._keras_history.operation.name
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


def model_between(inputs, outputs):
    """Returns the functional model from tensors of a graph to others of it.

    Keras 3.12 does not check that the outputs depend on nothing else.

    Raises:
        ValueError: If the outputs depend on other inputs, too.
    """
    model = keras.Model(inputs, outputs)
    try:
        run_through_graph(
            model,
            keras.tree.map_structure(lambda tensor: None, inputs),
            lambda operation, *args, **kwargs: keras.tree.map_structure(
                lambda tensor: None, operation.output
            ),
        )
    except KeyError as error:
        raise ValueError("The outputs depend on other inputs, too.") from error
    return model


def run_through_graph(graph, inputs, call):
    """Computes the outputs of a functional model, one operation at a time.

    `keras.models.clone_model` cannot leave out an operation.

    Args:
        graph: Functional model.
        inputs: Tensors in the structure of `graph.input`.
        call: Function of an operation and its arguments, called instead.
    """
    return graph._run_through_graph(
        inputs, operation_fn=lambda operation: operation, call_fn=call
    )


def compile_settings(model):
    """Returns the arguments that a model was compiled with, the same objects.

    `get_compile_config()` returns configs, from which only copies can be made.
    """
    return dict(model._compile_config.config)


def set_initial_epoch(model, epoch):
    """Sets the epoch at which a `fit()` that is beginning starts, or `None`.

    Callbacks call it in `on_train_begin`, as `BackupAndRestore` of Keras does.
    """
    model._initial_epoch = epoch


def inner_optimizer(optimizer):
    """Returns the optimizer inside of a `LossScaleOptimizer`, or itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def has_stepped(optimizer):
    """Returns whether an optimizer has moved the weights in the last batch.

    In public, its iterations do not tell in which batch they have changed.

    Returns:
        Boolean tensor; `None` for an optimizer that moves them in each.
    """
    inner = inner_optimizer(optimizer)
    batches = inner.gradient_accumulation_steps
    return None if batches is None else inner._iterations % batches == 0


@contextlib.contextmanager
def losses_kept(layer):
    """Opens a scope that leaves what layers have added to the loss.

    A call of a layer from outside of all layers forgets what earlier calls
    have added, and adds its own.
    """
    layers = flatten_layers(layer)
    before = [(list(each._losses), set(each._loss_ids)) for each in layers]
    try:
        yield
    finally:
        for each, (losses, ids) in zip(layers, before, strict=True):
            each._losses[:] = losses
            each._loss_ids.clear()
            each._loss_ids.update(ids)


def compiled_learning_rate(optimizer):
    """Returns the learning rate that an optimizer was given, or its schedule.

    In public there is only the rate of the next step.
    """
    return inner_optimizer(optimizer)._learning_rate


def optimized_variables(optimizer):
    """Returns the variables that an optimizer was built for, or `[]`."""
    return list(optimizer._trainable_variables)


def optimizer_state(optimizer):
    """Returns the variables of an optimizer, without its inner optimizer."""
    return list(optimizer._variables)


def forget_optimizer_state(optimizer):
    """Returns an optimizer to its state before `build`, except step and rate.

    There is no public way to build an optimizer a second time.
    """
    kept = {id(optimizer._iterations), id(optimizer._learning_rate)}
    for variable in list(optimizer._variables):
        if id(variable) not in kept:
            optimizer._untrack_variable(variable)
    optimizer._trainable_variables_indices.clear()
    optimizer.built = False


def replace_update(optimizer, wrap_update, wrap_weight_decay):
    """Puts functions around the update and the weight decay of an optimizer.

    Keras has one learning rate per optimizer, and no hook per variable.

    Args:
        optimizer: Keras optimizer.
        wrap_update: Function of Keras's own `update(gradients, variables,
            learning_rate)` that returns one to call instead.
        wrap_weight_decay: Function of Keras's own `apply_weight_decay(
            variables)` that returns one to call instead.
    """
    optimizer._backend_update_step = wrap_update(optimizer._backend_update_step)
    optimizer._apply_weight_decay = wrap_weight_decay(
        optimizer._apply_weight_decay
    )


def restore_update(optimizer):
    """Undoes `replace_update`."""
    vars(optimizer).pop("_backend_update_step", None)
    vars(optimizer).pop("_apply_weight_decay", None)


class MultiWorkerFixes:
    """Mends two faults of Keras 3 on several workers, before `keras.Model`.

    Under `MultiWorkerMirroredStrategy`, Keras 3.15 builds the model from a
    batch that is spread over the workers, and joins the logs of the workers
    along an axis that scalars do not have.

    It is no model itself. Where a class makes a functional model, Keras changes
    the bases of that class and of the models it inherits, for good. Subclassed
    models that share one of them then fail.
    """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        if not self._on_several_workers():
            return super()._maybe_symbolic_build(iterator, data_batch)
        strategy = self.distribute_strategy
        for _, _, batches in iterator or ():
            data_batch = keras.tree.map_structure(
                lambda part: strategy.experimental_local_results(part)[0],
                next(batches),
            )
            break
        with strategy.scope():
            return self._symbolic_build(data_batch=data_batch)

    def train_step(self, *args):
        return self._joinable(super().train_step(*args))

    def test_step(self, *args):
        return self._joinable(super().test_step(*args))

    def _joinable(self, logs):
        if not self._on_several_workers():
            return logs
        return {name: ops.reshape(value, (1,)) for name, value in logs.items()}

    def _on_several_workers(self):
        if keras.backend.backend() != "tensorflow":
            return False
        import tensorflow as tf

        return isinstance(
            self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy
        )


def trace_predict(model, images):
    """Traces the prediction of a model once, for batches of any size.

    `predict` traces a smaller last batch apart: TensorFlow soon warns of that.

    Args:
        model: Keras model.
        images: Array of images to predict.

    Returns:
        Boolean, whether `model.predict_function` takes a list of one batch.
    """
    is_traced = (
        keras.backend.backend() == "tensorflow"
        and isinstance(model, keras.Model)
        and not model.run_eagerly
        and model.steps_per_execution == 1
        and model.distribute_strategy.num_replicas_in_sync == 1
    )
    if not is_traced or model.predict_function is not None:
        return is_traced
    import tensorflow as tf

    if tf.config.functions_run_eagerly():
        return False
    # Keras casts arrays of floats.
    is_float = keras.backend.is_float_dtype(images.dtype.name)
    dtype = keras.config.floatx() if is_float else images.dtype.name
    batch = tf.TensorSpec((None, *images.shape[1:]), dtype)
    model.make_predict_function()
    # If the model takes batches of one size only, `predict` traces that one.
    with contextlib.suppress(Exception):
        model.predict_function.get_concrete_function([batch])
    return True
