"""Measures speed and memory of labelling, beside `model.predict`.

    python tests/benchmarks/pseudo_labels.py speed
    python tests/benchmarks/pseudo_labels.py memory --images 1000000

`speed` labels the same images with `PseudoLabeler` and with `model.predict` in
turns, from an array and from a `tf.data.Dataset`. Run it on an otherwise idle
machine. `memory` labels and trains on synthetic images of 32 px that are
streamed from `tf.data`, and prints the peak memory of the process. Run it with
several numbers of images.
"""

import argparse
import functools
import os
import resource
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.pseudo_labeler.label_pass import LabelPass
from keras_fewlabels.callbacks.pseudo_labeler.workers import OnlyWorker
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.policies.parts import ClassScores
from results import add_output, write_results


def residual_net():
    """Returns a network of about a third of a ResNet-20."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(16, 3, padding="same")(x)
    for width, strides in ((16, 1), (32, 2), (64, 2)):
        shortcut = layers.Conv2D(width, 1, strides)(x)
        for stride in (strides, 1):
            x = layers.Conv2D(width, 3, stride, padding="same")(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Add()([x, shortcut])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def linear():
    """Returns a network that takes little time, to time everything else."""
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def speed(arguments):
    images = np.random.default_rng(0).integers(
        0, 256, (arguments.images, 32, 32, 3), "uint8"
    )
    policy = kfl.policies.FixedThreshold(0.5)
    policy.build((None, 10))
    print(f"{'':12}{'source':8}{'images/s of predict':>22}{'ratio':>8}")
    rows = []
    for build in (residual_net, linear):
        model = build()
        for name, source in (
            ("array", images),
            ("tf.data", tf.data.Dataset.from_tensor_slices(images).batch(256)),
        ):
            label = LabelPass(
                image_source(source),
                OnlyWorker(model),
                policy,
                scores=ClassScores(False),
                num_classes=10,
                batch_size=256,
            )
            batch_size = 256 if name == "array" else None
            predict = functools.partial(
                model.predict, source, batch_size=batch_size, verbose=0
            )
            tasks = {"predict": predict, "label": label.run}
            times = {key: [] for key in tasks}
            for number in range(arguments.rounds + 1):
                for key, task in tasks.items():
                    start = time.perf_counter()
                    task()
                    if number > 0:  # The first round compiles.
                        times[key].append(time.perf_counter() - start)
            predict, label = map(statistics.median, times.values())
            row = {"": build.__name__, "source": name}
            row["images/s of predict"] = round(len(images) / predict)
            rows.append(row | {"ratio": f"{predict / label:.3f}"})
            print(
                f"{build.__name__:12}{name:8}"
                f"{len(images) / predict:22,.0f}{predict / label:8.3f}",
                flush=True,
            )
    write_results(
        arguments.output,
        "Speed of labelling",
        f"{len(images):,} images of 32 pixels, labelled by `PseudoLabeler` and "
        "predicted by `model.predict`. A ratio of 1 is as fast.",
        rows,
    )


def memory(arguments):
    def image(number):
        seed = tf.stack([number, number])
        values = tf.random.stateless_uniform((32, 32, 3), seed, 0, 256, "int32")
        return tf.cast(values, "uint8")

    numbers = tf.data.Dataset.range(arguments.images)
    unlabeled = numbers.map(image, num_parallel_calls=tf.data.AUTOTUNE)
    labeled = np.stack([image(-1 - number) for number in range(64)])
    labeler = kfl.callbacks.PseudoLabeler(
        unlabeled, policy=kfl.policies.FixedThreshold(0.0), start=0
    )
    model = linear()
    model.compile("sgd", "sparse_categorical_crossentropy")
    dataset = labeler.mixed_with((labeled, np.arange(64) % 10), batch_size=256)
    model.fit(dataset, callbacks=[labeler], verbose=2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{arguments.images:,} images: {peak:,.0f} MiB at most")
    write_results(
        arguments.output,
        f"Memory for {arguments.images:,} images",
        "The peak of a process that labels and trains on images of 32 pixels "
        "that are streamed from `tf.data`.",
        [{"images": f"{arguments.images:,}", "MiB": round(peak)}],
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "memory"))
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    add_output(parser)
    arguments = parser.parse_args()
    {"speed": speed, "memory": memory}[arguments.what](arguments)


if __name__ == "__main__":
    main()
