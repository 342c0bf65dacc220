import keras
from keras import ops

from keras_fewlabels.foundation import (
    check_choice,
    check_fraction,
    check_seed,
    check_type,
    flatten_layers,
    has_accelerator,
    own_dtypes,
    own_trainable_variables,
)


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class StochasticResidual(keras.layers.Layer):
    """Adds a branch to its input, or skips the branch during training.

    `StochasticDepth` computes the branch and then drops it. This layer draws
    first: a branch that is dropped for the batch runs neither forward nor
    backward, and its batch-norm statistics and random state stay unchanged.
    A stack of such blocks with rates from `models.linear_rates` saves nearly
    the mean of the rates in training time. In graph mode on two CPU cores, 54
    convolutional blocks with rates up to 0.5, a quarter of which is skipped,
    took 0.81 of the time without drops, and 0.79 with `scale="inference"`.

    XLA on CPUs is slow at the gradient of a convolution in a conditional: 12
    such blocks took 11 times as long. So on machines without accelerator JAX,
    which always compiles, computes a dropped branch as well, and on
    TensorFlow Keras does not compile a model with this layer. To measure
    other machines, run `tests/benchmarks/stochastic_residual.py`.

    One draw decides for the batch on all replicas of a `tf.distribute`
    strategy, because replicas would have to wait for one that runs the
    branch.

    Reference:
        - [Huang et al., 2016](https://arxiv.org/abs/1603.09382) scale the
          branch in inference, which is `scale="inference"` here.

    Args:
        branch: A layer or model whose output has the shape of its input.
            Losses that it adds in `call`, such as those of an
            `activity_regularizer`, are not counted in training.
        rate: Float in `[0, 1)`, the probability of dropping the branch.
        seed: Optional int that makes the draws reproducible. The state of the
            generator is saved with the model.
        scale: `"training"` divides a kept branch by `1 - rate` in training;
            `"inference"` multiplies the branch by `1 - rate` in inference,
            which saves a pass over its output and its gradient in training.

    Call arguments:
        inputs: Float tensor of shape `(batch, ...)`.
        training: Boolean. The branch always runs unless it is `True`.

    Returns:
        `inputs` plus the branch, or `inputs` alone, of the same shape and of
        the compute dtype of this layer, whatever the dtype of the branch.

    Raises:
        ValueError: If `rate` is outside `[0, 1)`, `scale` is unknown, or the
            branch changes the shape.

    Example:

    >>> branch = keras.layers.Dense(2, kernel_initializer="identity")
    >>> layer = keras_fewlabels.layers.StochasticResidual(branch, 0.75, seed=0)
    >>> outputs = [layer(np.ones((1, 2)), training=True) for _ in range(12)]
    >>> np.unique([keras.ops.convert_to_numpy(output) for output in outputs])
    array([1., 5.], dtype=float32)
    """

    def __init__(
        self, branch, rate=0.2, seed=None, *, scale="training", **kwargs
    ):
        super().__init__(**kwargs)
        check_fraction(
            rate, "rate", hint="It is the probability of dropping the branch"
        )
        check_choice(scale, "scale", ("training", "inference"))
        check_seed(seed)
        check_type(
            branch,
            "branch",
            keras.layers.Layer,
            "a Keras layer or model",
            hint="Its weights are trained and saved with this layer",
        )
        self.branch = branch
        self.rate = rate
        self.seed = seed
        self.scale = scale
        self.seed_generator = keras.random.SeedGenerator(seed)
        # Keras asks for it, and does not compile the model.
        self.supports_jit = not _is_tensorflow_on_cpu()

    def build(self, input_shape):
        if not self.branch.built:
            self.branch.build(input_shape)
        output_shape = self.branch.compute_output_shape(input_shape)
        if tuple(output_shape) != tuple(input_shape):
            raise ValueError(
                "The branch must keep the shape of its input, to which it is "
                "added. Put layers that change the shape in front of this "
                f"layer. Received: input shape={input_shape}, "
                f"output shape={output_shape}"
            )

    def call(self, inputs, training=False):
        inputs = ops.cast(inputs, self.compute_dtype)
        # State stays exact, whatever the compute dtype of this layer.
        with own_dtypes():
            return self._call(inputs, training)

    def _call(self, inputs, training):
        if not training or self.rate == 0:
            return self._add(
                inputs, 1 - self.rate if self.scale == "inference" else 1
            )
        draw = keras.random.uniform(
            (), dtype="float32", seed=self.seed_generator
        )
        # State cannot be assigned inside of a conditional: on JAX it would
        # leak, and under `tf.distribute` replicas cannot merge it there.
        variables = _state_variables(self.branch)
        state = [variable.value for variable in variables]
        choose = ops.cond if _can_skip() else _of_both
        outputs, state = choose(
            draw >= self.rate,
            lambda: self._keep(inputs, variables, state),
            lambda: (self._skip(inputs), state),
        )
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        return outputs

    def _keep(self, inputs, variables, state):
        mapping = [(v, v.value) for v in self.branch.variables]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = self._add(
                inputs, 1 / (1 - self.rate) if self.scale == "training" else 1
            )
        # Both cases of a conditional must have the same dtypes.
        return outputs, [
            ops.cast(scope.get_current_value(variable), value.dtype)
            for variable, value in zip(variables, state, strict=True)
        ]

    def _add(self, inputs, factor):
        branch = self.branch(inputs)
        branch = branch if factor == 1 else branch * factor
        return inputs + ops.cast(branch, inputs.dtype)

    def _skip(self, inputs):
        if keras.backend.backend() != "torch":
            return inputs
        # On the other backends, optimizers get a zero gradient for a weight
        # that is not used. Torch would give them none.
        unused = [ops.sum(v) for v in self.branch.trainable_variables]
        return inputs + ops.cast(0 * sum(unused), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seed_generator_state"] = self.seed_generator.state

    def load_own_variables(self, store):
        if "seed_generator_state" in store.keys():  # noqa: SIM118
            self.seed_generator.state.assign(store["seed_generator_state"])

    def get_config(self):
        return {
            **super().get_config(),
            "branch": keras.saving.serialize_keras_object(self.branch),
            "rate": self.rate,
            "seed": self.seed,
            "scale": self.scale,
        }

    @classmethod
    def from_config(cls, config):
        branch = keras.saving.deserialize_keras_object(config["branch"])
        return cls(**{**config, "branch": branch})


def _is_tensorflow_on_cpu():
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    # Logical devices would start TensorFlow, before it can be configured.
    return not any(map(tf.config.list_physical_devices, ("GPU", "TPU")))


def _can_skip():
    """Returns whether a conditional is faster than both of its cases."""
    return keras.backend.backend() != "jax" or has_accelerator()


def _of_both(condition, first, second):
    """Computes both cases of a conditional, and returns one of them."""
    return keras.tree.map_structure(
        lambda *cases: ops.where(condition, *cases), first(), second()
    )


def _state_variables(branch):
    # `own_trainable_variables` also has the weights of frozen layers, which no
    # step changes.
    weights = {
        id(variable)
        for layer in flatten_layers(branch)
        for variable in own_trainable_variables(layer)
    }
    return [v for v in branch.variables if id(v) not in weights]
