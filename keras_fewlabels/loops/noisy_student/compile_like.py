"""Optimizer and loss of a phase."""

import keras

# The share of a phase in which the learning rate rises.
_WARM_UP = 0.05


def compile_like(model, student, task, settings, num_steps, falls=True):
    """Compiles a model as its student is, or by the settings.

    Args:
        model: The model to compile.
        student: Keras model; if it is compiled, its loss and a new optimizer
            of the same settings are taken.
        task: `Task`.
        settings: Dict of settings.
        num_steps: Int, the steps of the phase.
        falls: Boolean, whether the learning rate falls to zero after it has
            risen, or stays.
    """
    if student.compiled:
        optimizer, loss = _copy_of(student.optimizer), student.loss
    else:
        optimizer = _optimizer(settings, num_steps, falls)
        loss = keras.losses.CategoricalCrossentropy(
            from_logits=task.from_logits,
            label_smoothing=settings["label_smoothing"],
        )
    model.compile(optimizer, loss, metrics=["accuracy"])


def _optimizer(settings, num_steps, falls):
    rate = settings["learning_rate"]
    warm_up = max(1, round(_WARM_UP * num_steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 100,
        max(1, num_steps - warm_up),
        alpha=0.0 if falls else 1.0,
        warmup_target=rate,
        warmup_steps=warm_up,
    )
    return keras.optimizers.AdamW(
        schedule, weight_decay=settings["weight_decay"]
    )


def _copy_of(optimizer):
    return type(optimizer).from_config(optimizer.get_config())
