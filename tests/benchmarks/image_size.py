"""Measures whether small photographs should be enlarged for a frozen backbone.

    python tests/benchmarks/image_size.py DATA [--seeds 4]

DATA is that of `photographs.py`. EfficientNet-Lite0, which was trained on
images of 224 px, computes features of photographs as they are, 160 px or 100
px, and of the same ones enlarged to 224 px. Two heads are fitted to them: the
linear probe and the self-trained head of `fit_noisy_student`.
"""

import argparse
import pathlib

import keras
import numpy as np

from keras_fewlabels.evaluation.frozen_features.self_training import (
    FeatureClassifier,
)
from photographs import PREPROCESSING, backbone_of, load, split
from results import add_output, add_seeds, seeds_of, table, write_results

SIZES = {"flowers": 160, "trash": 160, "steel": 160, "hands": 100}
ENLARGED = 224
TITLE = "Small photographs, enlarged"
ABOUT = (
    "Test accuracy in % of heads on features of EfficientNet-Lite0, which was "
    "trained on images of 224 px: of a linear probe, and of a head that also "
    "learns from the unlabelled images. The features are the mean of those of "
    "a photograph and of its mirror image."
)


def features_of(build, images, size):
    """Returns features of images that are resized to `size`."""
    inputs = keras.Input(images.shape[1:])
    scale, offset = PREPROCESSING
    values = keras.layers.Resizing(size, size)(inputs)
    values = keras.layers.Rescaling(scale, offset)(values)
    model = keras.Model(inputs, build((size, size, 3), pooling="avg")(values))
    views = images, images[:, :, ::-1]
    return sum(
        model.predict(view, batch_size=64, verbose=0) / 2 for view in views
    )


def accuracies(features, labels, parts):
    """Returns the test accuracy of both heads, in percent."""
    labeled, unlabeled, test = parts
    classifier = FeatureClassifier(
        features[np.concatenate([labeled, unlabeled])],
        keras.utils.to_categorical(labels[labeled], labels.max() + 1),
    )
    heads = classifier.probe(), classifier.self_train()
    predicted = [head.probabilities(features[test]) for head in heads]
    return [
        100 * float(np.mean(each.argmax(axis=1) == labels[test]))
        for each in predicted
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--per-class", nargs="+", type=int, default=[4, 10, 25])
    add_seeds(parser)
    add_output(parser)
    options = parser.parse_args()
    build, rows = backbone_of(options.data), []
    for name, small in SIZES.items():
        images, labels, _ = load(options.data / name, small)
        features = {
            size: features_of(build, images, size) for size in (small, ENLARGED)
        }
        for per_class in options.per_class:
            row = {"": f"{name}, {small} px, {per_class} per class"}
            for size, text in (small, "as they are"), (ENLARGED, "enlarged"):
                found = [
                    accuracies(
                        features[size], labels, split(labels, per_class, seed)
                    )
                    for seed in seeds_of(options)
                ]
                probe, trained = map(list, zip(*found, strict=True))
                row |= {
                    f"probe, {text}": probe,
                    f"self-trained, {text}": trained,
                }
            rows.append(row)
            print(table([row]), flush=True)
    write_results(options.output, TITLE, ABOUT, rows, seeds_of(options))


if __name__ == "__main__":
    main()
