"""Models that learn from labelled and unlabelled images together."""

from keras_fewlabels.models.classifier import classifier
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.methods import (
    UDA,
    AdaMatch,
    FixMatch,
    FlexMatch,
    FreeMatch,
    MeanTeacher,
    MixMatch,
    NoisyStudent,
    ReMixMatch,
    SoftMatch,
)
from keras_fewlabels.models.multi_worker_model import MultiWorkerModel
from keras_fewlabels.models.noisy_student_model import NoisyStudentModel
from keras_fewlabels.models.standalone import (
    class_names_of,
    export_standalone,
    predict_image,
    standalone,
)
from keras_fewlabels.models.stochastic_depth import (
    add_stochastic_depth,
    linear_rates,
)

__all__ = [
    "UDA",
    "AdaMatch",
    "EMATeacher",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "MeanTeacher",
    "MixMatch",
    "MultiWorkerModel",
    "NoisyStudent",
    "NoisyStudentModel",
    "ReMixMatch",
    "SoftMatch",
    "add_stochastic_depth",
    "class_names_of",
    "classifier",
    "export_standalone",
    "linear_rates",
    "predict_image",
    "standalone",
]
