import math

import keras

from keras_fewlabels.callbacks.fine_tune.find_backbone import (
    check_model,
    find_backbone,
    trained_part,
)
from keras_fewlabels.callbacks.fine_tune.layer_decay import LayerDecay
from keras_fewlabels.callbacks.fine_tune.training_stages import TrainingStages
from keras_fewlabels.callbacks.fine_tune.widen_optimizer import widen_optimizer
from keras_fewlabels.callbacks.print_progress import print_progress
from keras_fewlabels.callbacks.stage_learning_rate import (
    StageLearningRate,
    check_single_steps,
    current_rate,
)
from keras_fewlabels.foundation import (
    Rule,
    check_argument,
    check_bool,
    check_int,
    check_number,
    int_rule,
    number_rule,
    set_initial_epoch,
    type_rule,
    when_fit_ends,
)

_CHOICES = (
    int_rule(0),
    Rule('"all"', lambda choice: isinstance(choice, str) and choice == "all"),
    Rule(
        "a list of layer names",
        lambda choice: (
            isinstance(choice, (list, tuple))
            and all(isinstance(name, str) for name in choice)
        ),
    ),
    Rule("a function that takes a layer and returns a boolean", callable),
)
_RATES = (
    number_rule("(0, inf)"),
    type_rule(
        keras.optimizers.schedules.LearningRateSchedule,
        "a keras LearningRateSchedule",
    ),
)


class FineTune(keras.callbacks.Callback):
    """Freezes and unfreezes a pretrained backbone inside one `fit()`.

    The usual recipe trains a new head on a frozen backbone, unfreezes some
    top layers, lowers the learning rate, and compiles and fits again. This
    callback does that inside one `fit()`: nothing is compiled again, and
    iterations, optimizer state, metrics and history carry on. The backbone
    need not be frozen beforehand.

    - The optimizer is built for the variables of all stages before training.
    - Layers that you froze inside a trainable backbone stay frozen. If you
      froze the backbone as a whole, the schedule alone decides.
    - A resumed run (`ExactBackup`, `initial_epoch`) starts in the stage of
      its epoch. The callback can be used for another `fit()`.
    - Adam corrects its averages by the count of all iterations, which goes on
      from stage to stage. Layers that join late therefore start with steps of
      up to 6 times the usual size. Give their stage a low learning rate, or a
      schedule that warms up, such as
      `CosineDecay(0.0, 900, warmup_target=1e-4, warmup_steps=300)`.
    - When training ends, also by an error or Ctrl-C, the `trainable` flags
      and the learning rate are set to what they were before `fit()`.
    - A model that `ModelCheckpoint` saves in between has these flags, too
      (all of them `True` if you froze the backbone as a whole), and the state
      of the optimizer for all stages. Load it and fit with `initial_epoch`.
    - For several backbones, add one `FineTune` each. In a `NoisyStudentModel`
      the backbone is searched in the student.
    - At each stage a line shows what trains, unless `verbose=0`. The logs
      contain `learning_rate`.

    Reference:
        - [Howard and Ruder, 2018](https://arxiv.org/abs/1801.06146), gradual
          unfreezing.

    Args:
        backbone: The pretrained layer or model inside the model in training,
            at any depth, or its name. Also a model on whose layers the model
            in training was built. `None` is the model inside that has most of
            the parameters, which is that of `models.classifier`.
        schedule: Dict of the first epoch of a stage, counted from 0, to what
            trains from then on: the number of `backbone.layers` counted from
            the top, `"all"`, a list of layer names, or a function that takes
            a layer and returns a boolean. Before the first stage the flags
            stay as you set them. Defaults to `{0: 0, 5: 20, 10: "all"}`.
        learning_rates: Optional dict of epochs, counted from 0, to the
            learning rate from then on: a float, or a keras
            `LearningRateSchedule`, which counts batches from that epoch.
        freeze_batch_norm: Boolean. If `True`, the batch normalization of the
            backbone keeps its pretrained statistics, scales and offsets in
            all stages, which suits small data.
        layer_decay: Optional float in `(0, 1]`. Each block of the backbone
            learns at that fraction of the learning rate of the block above.
            The top block and the head learn at the full rate. Blocks end
            where branches join. In a plain chain of layers, each layer with
            weights is a block.

    Raises:
        ValueError: If `schedule` is empty, or an epoch, a choice of layers, a
            learning rate or `layer_decay` is not one of the values above. At
            the start of `fit()`, if the model is not built or compiled or
            does not contain the backbone, if nothing trains in a stage, if
            the optimizer has `use_ema=True`, or if `learning_rates` is given
            and the optimizer was compiled with a schedule, or a schedule in
            `learning_rates` meets `steps_per_execution` above 1.

    Example:

    >>> backbone = keras.Sequential(
    ...     [keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(4)],
    ...     name="backbone",
    ... )
    >>> model = keras.Sequential([backbone, keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> fine_tune = keras_fewlabels.callbacks.FineTune(
    ...     backbone, {0: 0, 1: 1, 2: "all"}, learning_rates={2: 1e-4}
    ... )
    >>> x, y = np.ones((4, 8)), np.ones((4, 1))
    >>> history = model.fit(x, y, epochs=3, callbacks=[fine_tune], verbose=2)
    FineTune: 5 of 61 parameters train, 0 of 2 layers of 'backbone', learning
    rate 0.01
    Epoch 1/3
    ...
    FineTune: 25 of 61 parameters train, 1 of 2 layers of 'backbone', learning
    rate 0.01
    Epoch 2/3
    ...
    FineTune: 61 of 61 parameters train, 2 of 2 layers of 'backbone', learning
    rate 0.0001
    Epoch 3/3
    ...
    """

    def __init__(
        self,
        backbone,
        schedule=None,
        learning_rates=None,
        freeze_batch_norm=True,
        *,
        layer_decay=None,
    ):
        super().__init__()
        if schedule is None:
            schedule = {0: 0, 5: 20, 10: "all"}
        _check_stages(
            schedule, "schedule", '{0: 0, 5: 20, 10: "all"}', _CHOICES
        )
        if learning_rates is not None:
            _check_stages(
                learning_rates, "learning_rates", "{0: 1e-3, 10: 1e-5}", _RATES
            )
        check_bool(freeze_batch_norm, "freeze_batch_norm")
        check_number(
            layer_decay,
            "layer_decay",
            "(0, 1]",
            optional=True,
            hint="It is the learning rate of a block as a fraction of that of "
            "the block above",
        )
        self.backbone = backbone
        self.schedule = dict(sorted(schedule.items()))
        self.learning_rates = learning_rates
        self.freeze_batch_norm = freeze_batch_norm
        self.layer_decay = layer_decay
        self._is_fitting = False

    def set_model(self, model):
        check_model(model)
        backbone = find_backbone(model, self.backbone)
        super().set_model(model)
        self._stages = TrainingStages(
            backbone, self.schedule, self.freeze_batch_norm
        )
        # Not in `on_train_begin`, where a callback that resumes the fit may
        # have loaded the state of the optimizer already.
        widen_optimizer(model, self._stages.trainable_variables(model))
        self._rate = StageLearningRate(self.learning_rates or {})
        self._rate.remember(model.optimizer)
        if self._rate.has_schedule:
            check_single_steps(model)
        self._layer_decay = LayerDecay(backbone, self.layer_decay or 1.0)

    def on_train_begin(self, logs=None):
        self._is_fitting = True
        when_fit_ends(self.on_train_end)
        if self.layer_decay is not None:
            self._layer_decay.install(self.model.optimizer)
        # Traces of an earlier fit contain the optimizer as it was then.
        _trace_again(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        model = self.model
        is_new_rate = self._rate.begin_epoch(
            model.optimizer, epoch, self.params.get("steps")
        )
        is_new_stage = self._stages.enter(epoch)
        if is_new_stage:
            _trace_again(model)
        if (is_new_stage or is_new_rate) and self.params.get("verbose"):
            self._report()

    def on_train_batch_begin(self, batch, logs=None):
        if self._rate.changes_by_batch:
            self._rate.begin_batch(self.model.optimizer, batch)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = current_rate(self.model.optimizer)

    def on_train_end(self, logs=None):
        if not self._is_fitting:
            return
        self._is_fitting = False
        model = self.model
        self._stages.leave()
        self._rate.restore(model.optimizer)
        self._layer_decay.remove(model.optimizer)
        _trace_again(model)
        # A callback that resumes a fit leaves its first epoch in the model,
        # and the next fit would begin with it.
        set_initial_epoch(model, None)

    def _report(self):
        model = trained_part(self.model)
        training, layers = self._stages.num_layers()
        trainable = sum(math.prod(v.shape) for v in model.trainable_weights)
        print_progress(
            f"FineTune: {trainable:,} of {model.count_params():,} parameters "
            f"train, {training} of {layers} layers of "
            f"{self._stages.backbone.name!r}, learning rate "
            f"{current_rate(self.model.optimizer):.4g}"
        )


def _trace_again(model):
    # A traced step contains which variables train. On JAX, even `evaluate()`
    # would read the weights in the order of the stage before.
    model.make_train_function(force=True)
    model.make_test_function(force=True)
    model.make_predict_function(force=True)


def _check_stages(stages, argument, example, rules):
    if not isinstance(stages, dict) or (argument == "schedule" and not stages):
        raise ValueError(
            f"`{argument}` must be a dict of epochs to what holds from then "
            f"on, such as {example}. Received: {argument}={stages!r}"
        )
    for epoch, value in stages.items():
        hint = f"The keys of `{argument}` are epochs"
        check_int(epoch, "epoch", 0, hint=hint)
        check_argument(value, f"{argument}[{epoch}]", *rules)
