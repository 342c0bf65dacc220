"""Measures epochs of fine-tuning: frozen, full, and on stored features.

Stored features are compared in two ways: per epoch, after they are computed,
and in all, with tracing and with the one pass of the backbone that computes
them. In all, 10 epochs can be at most 10 times as fast as 10 passes.

The script prints a table of ratios. Run it on an otherwise idle machine:
    python tests/benchmarks/fine_tune.py [--backbone MobileNetV2] [--size 96]
"""

import argparse
import time

import keras
import numpy as np
from keras import layers

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.loops import fit_head
from results import add_output, write_results


class EpochTimes(keras.callbacks.Callback):
    """Stores the seconds of each epoch. The first of a stage compiles."""

    def on_train_begin(self, logs=None):
        self.began = time.perf_counter()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def build(args):
    build_backbone = getattr(keras.applications, args.backbone)
    shape = (args.size, args.size, 3)
    backbone = build_backbone(
        weights=None, include_top=False, pooling="avg", input_shape=shape
    )
    head = layers.Dense(5, activation="softmax")
    model = keras.Sequential([keras.Input(shape), backbone, head])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, backbone


def fine_tuning_times(args, images, labels):
    """Returns seconds per epoch of three stages, and of 10 frozen epochs."""
    model, backbone = build(args)
    times = EpochTimes()
    fine_tune = FineTune(backbone, {0: 0, 10: 20, 14: "all"})
    model.fit(
        images,
        labels,
        batch_size=args.batch,
        epochs=18,
        verbose=0,
        callbacks=[fine_tune, times],
    )
    stages = [
        min(times.seconds[start + 1 : stop])
        for start, stop in ((0, 10), (10, 14), (14, 18))
    ]
    return *stages, sum(times.seconds[:10])


def feature_times(args, images, labels):
    """Returns seconds of an epoch, the features, 10 epochs and a predict."""
    model, backbone = build(args)
    times = EpochTimes()
    start = time.perf_counter()
    fit_head(
        model,
        backbone,
        (images, labels),
        batch_size=args.batch,
        epochs=10,
        verbose=0,
        callbacks=[times],
    )
    in_all = time.perf_counter() - start
    features = times.began - start
    backbone.predict(images, batch_size=args.batch, verbose=0)
    start = time.perf_counter()
    backbone.predict(images, batch_size=args.batch, verbose=0)
    predict = time.perf_counter() - start
    return min(times.seconds[1:]), features, in_all, predict


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="MobileNetV2")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--batch", type=int, default=32)
    add_output(parser)
    args = parser.parse_args()
    shape = (args.images, args.size, args.size, 3)
    images = np.random.default_rng(0).random(shape, "float32")
    labels = np.arange(args.images) % 5

    frozen, top, full, frozen_in_all = fine_tuning_times(args, images, labels)
    stored, features, stored_in_all, predict = feature_times(
        args, images, labels
    )
    print(f"{args.backbone}, {args.size} px, {args.images} images")
    all_rows = print_rows(
        "of all",
        [
            ("epoch, all layers train", full, full),
            ("epoch, the top 20 layers train", top, full),
            ("epoch, backbone frozen", frozen, full),
        ],
    )
    all_rows += print_rows(
        "of frozen",
        [
            ("per epoch: backbone frozen", frozen, frozen),
            ("per epoch: on stored features", stored, frozen),
            (
                "in all, 10 epochs: backbone frozen",
                frozen_in_all,
                frozen_in_all,
            ),
            ("in all, 10 epochs: fit_head", stored_in_all, frozen_in_all),
            ("  of it, features and their tracing", features, frozen_in_all),
            ("  one predict, traced before", predict, frozen_in_all),
        ],
    )
    print(
        f"Stored features: {frozen / stored:.1f} times as fast per epoch, "
        f"{frozen_in_all / stored_in_all:.1f} times in all"
    )
    write_results(
        args.output,
        "Speed of fine-tuning",
        f"{args.images} images of {args.size} pixels in {args.backbone}, in "
        "seconds, and as a share of the first row of each kind.",
        all_rows,
    )


def print_rows(reference, rows):
    print(f"{'':38}{'s':>8}{reference:>12}")
    for name, seconds, whole in rows:
        print(f"{name:38}{seconds:8.2f}{seconds / whole:12.3f}")
    return [
        {"": name.strip(), "s": f"{s:.2f}", reference: f"{s / whole:.3f}"}
        for name, s, whole in rows
    ]


if __name__ == "__main__":
    main()
