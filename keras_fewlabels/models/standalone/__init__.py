"""One model of all that an image goes through, for other programs."""

from keras_fewlabels.models.standalone.class_names_of import class_names_of
from keras_fewlabels.models.standalone.export_standalone import (
    export_standalone,
)
from keras_fewlabels.models.standalone.predict_image import predict_image
from keras_fewlabels.models.standalone.standalone import standalone

__all__ = ["class_names_of", "export_standalone", "predict_image", "standalone"]
