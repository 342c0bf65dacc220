"""Published methods, each a few lines over `NoisyStudentModel`."""

from keras_fewlabels.models.methods.ada_match import AdaMatch
from keras_fewlabels.models.methods.fix_match import FixMatch
from keras_fewlabels.models.methods.flex_match import FlexMatch
from keras_fewlabels.models.methods.free_match import FreeMatch
from keras_fewlabels.models.methods.mean_teacher import MeanTeacher
from keras_fewlabels.models.methods.mix_match import MixMatch
from keras_fewlabels.models.methods.noisy_student import NoisyStudent
from keras_fewlabels.models.methods.re_mix_match import ReMixMatch
from keras_fewlabels.models.methods.soft_match import SoftMatch
from keras_fewlabels.models.methods.uda import UDA

__all__ = [
    "UDA",
    "AdaMatch",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "MeanTeacher",
    "MixMatch",
    "NoisyStudent",
    "ReMixMatch",
    "SoftMatch",
]
