"""Measures passes over many images against a bare `predict`.

    python tests/benchmarks/predict.py [--rounds 5]

Each pass reads all images of a source and predicts them with one model: the
features that the first rungs of `fit_noisy_student` learn from, the features
and probabilities that proposals and audits need, the probabilities that reports
are made of, and the pseudo-labels of `PseudoLabeler`. Beside them is
`model.predict` on the same images, in turns with the passes. The features and
probabilities come from a model that each pass makes and traces anew. Run it on
an otherwise idle machine.
"""

import argparse
import functools
import os
import pathlib
import statistics
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.pseudo_labeler.label_pass import LabelPass
from keras_fewlabels.callbacks.pseudo_labeler.workers import OnlyWorker
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.features import (
    features_and_probabilities,
    with_features,
)
from keras_fewlabels.evaluation.frozen_features.compute_features import (
    FeatureReader,
)
from keras_fewlabels.loops.noisy_student.measure import predict_outputs
from keras_fewlabels.policies.parts import ClassScores
from results import add_output, table, write_results

BATCH_SIZE = 64
NUM_CLASSES = 10


def cheap_model(size):
    """Returns a network that takes less time than reading its images."""
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Rescaling(1 / 255),
            layers.GlobalAveragePooling2D(),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


def mobile_net(size):
    return keras.applications.MobileNetV2(
        (size, size, 3), alpha=0.35, weights=None, classes=NUM_CLASSES
    )


def array(images, folder):
    return images


def dataset(images, folder):
    return tf.data.Dataset.from_tensor_slices(images).batch(BATCH_SIZE)


def files(images, folder):
    paths = []
    for number, image in enumerate(images):
        paths.append(folder / f"{number:06d}.jpg")
        keras.utils.save_img(paths[-1], image, scale=False)
    return kfl.data.ImageFiles(paths, images.shape[1], cache_bytes=0)


def bare_input(images):
    """Returns what `predict` takes: files are an array for it."""
    is_files = isinstance(images, kfl.data.ImageFiles)
    return np.asarray(images) if is_files else images


def bare_predict(model, images):
    model.predict(bare_input(images), batch_size=BATCH_SIZE, verbose=0)


# A run makes it once for each student.
extractor = functools.cache(with_features)


def features(model, images):
    FeatureReader(extractor(model), mirrored=False).read(image_source(images))


def proposals(model, images):
    features_and_probabilities(model, image_source(images), BATCH_SIZE)


def report(model, images):
    predict_outputs(model, images)


def labels(model, images):
    policy = kfl.policies.FixedThreshold(0.95)
    policy.build((None, NUM_CLASSES))
    LabelPass(
        image_source(images),
        OnlyWorker(model),
        policy,
        scores=ClassScores(from_logits=False),
        num_classes=NUM_CLASSES,
        batch_size=BATCH_SIZE,
    ).run()


PASSES = {
    "bare `predict`": bare_predict,
    "features": features,
    "features and probabilities": proposals,
    "probabilities": report,
    "pseudo-labels": labels,
}
# Size and number of the images.
MODELS = {cheap_model: (32, 50_000), mobile_net: (96, 2_000)}


def measured(model, images, rounds):
    """Returns the median seconds of each pass, after one to trace."""
    seconds = {name: [] for name in PASSES}
    for number in range(rounds + 1):
        for name, run in PASSES.items():
            if run is report and isinstance(images, tf.data.Dataset):
                continue  # Reports are of arrays and files.
            start = time.perf_counter()
            run(model, images)
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(s) for name, s in seconds.items() if s}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    add_output(parser)
    options = parser.parse_args()
    rows = []
    for build, (size, count) in MODELS.items():
        images = np.random.default_rng(0).integers(
            0, 256, (count, size, size, 3), "uint8"
        )
        for make in (array, dataset, files):
            with tempfile.TemporaryDirectory() as folder:
                made = make(images, pathlib.Path(folder))
                found = measured(build(size), made, options.rounds)
            bare = found["bare `predict`"]
            row = {"": f"{build.__name__}, {count:,} x {size} px"}
            row |= {"source": make.__name__, "images/s": count / bare}
            row |= {
                name: f"{bare / seconds:.2f}"
                for name, seconds in found.items()
                if name in list(PASSES)[1:]
            }
            rows.append(row)
            print(table(rows[-1:]), flush=True)
    write_results(
        options.output,
        "Passes over many images",
        "Images per second of a bare `predict`, and the speed of each pass "
        "beside it: 1 is as fast, less is slower. `predict` cannot read files "
        "by itself, so there reading them into an array counts as well. "
        "Features and probabilities together come from a model that is made "
        "and traced in each pass, which takes a second or two.",
        rows,
    )


if __name__ == "__main__":
    main()
