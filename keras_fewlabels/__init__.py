"""Train Keras classifiers from few labels and many unlabelled images."""

from keras_fewlabels.command_line.quiet_start import quiet_start

with quiet_start():
    from keras_fewlabels import (
        callbacks,
        data,
        evaluation,
        layers,
        loops,
        models,
        ops,
        plots,
        policies,
    )

__version__ = "0.1.0"

__all__ = [
    "callbacks",
    "data",
    "evaluation",
    "layers",
    "loops",
    "models",
    "ops",
    "plots",
    "policies",
]
