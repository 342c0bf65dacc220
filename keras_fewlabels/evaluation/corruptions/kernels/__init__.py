"""The corruptions and perturbations of images, one function each.

They are imported only where images are changed, because they need SciPy and
Pillow, which are optional.
"""

from keras_fewlabels.foundation import optional_import

for _module in ("scipy", "PIL"):
    optional_import(_module, "evaluation")
