"""Models that learn from labelled and unlabelled images together."""

from keras_fewlabels.models.ada_match import AdaMatch
from keras_fewlabels.models.add_stochastic_depth import add_stochastic_depth
from keras_fewlabels.models.class_names_of import class_names_of
from keras_fewlabels.models.ema_teacher import EMATeacher
from keras_fewlabels.models.export_standalone import export_standalone
from keras_fewlabels.models.fix_match import FixMatch
from keras_fewlabels.models.flex_match import FlexMatch
from keras_fewlabels.models.free_match import FreeMatch
from keras_fewlabels.models.linear_rates import linear_rates
from keras_fewlabels.models.mean_teacher import MeanTeacher
from keras_fewlabels.models.multi_worker import MultiWorkerModel
from keras_fewlabels.models.noisy_student import NoisyStudentModel
from keras_fewlabels.models.noisy_student_method import NoisyStudent
from keras_fewlabels.models.predict_image import predict_image
from keras_fewlabels.models.soft_match import SoftMatch
from keras_fewlabels.models.standalone import standalone
from keras_fewlabels.models.uda import UDA

__all__ = [
    "UDA",
    "AdaMatch",
    "EMATeacher",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "MeanTeacher",
    "MultiWorkerModel",
    "NoisyStudent",
    "NoisyStudentModel",
    "SoftMatch",
    "add_stochastic_depth",
    "class_names_of",
    "export_standalone",
    "linear_rates",
    "predict_image",
    "standalone",
]
