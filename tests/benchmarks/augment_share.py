"""Measures the share of a training step that `RandAugment` takes.

    python tests/benchmarks/augment_share.py [--steps 5] [--rounds 5]

Two networks train on a batch, a small residual one on images of 32 px and
MobileNetV2 on images of 160 px, with and without the layer in front of them.
Steps with and without it run in turns. Each backend runs in a process of its
own; one that is not installed is left out. Run it on an otherwise idle machine.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_fewlabels as kfl
from train_step import resnet

BACKENDS = "tensorflow", "jax", "torch"
NUM_CLASSES = 10


def mobile_net():
    return keras.applications.MobileNetV2(
        (160, 160, 3),
        weights=None,
        classes=NUM_CLASSES,
        classifier_activation=None,
    )


# Function that builds the network, and the images of a batch.
NETWORKS = {
    "like ResNet-20, 32 px": (resnet, 256),
    "MobileNetV2, 160 px": (mobile_net, 32),
}


def trained(network, layers):
    """Returns a compiled model with layers in front of a network."""
    images = keras.Input(network.input_shape[1:])
    values = images
    for layer in layers:
        values = layer(values)
    model = keras.Model(
        images, network(keras.layers.Rescaling(1 / 255)(values))
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3), loss)
    return model


def share(name, options):
    """Returns milliseconds of a step without and with the layer."""
    build, batch_size = NETWORKS[name]
    models = [
        trained(build(), layers)
        for layers in ([], [kfl.layers.RandAugment(2, 10)])
    ]
    rng = np.random.default_rng(0)
    shape = batch_size, *models[0].input_shape[1:]
    images = rng.integers(0, 256, shape).astype("float32")
    labels = rng.integers(0, NUM_CLASSES, batch_size)
    seconds = [[], []]
    for number in range(options.rounds + 1):
        for model, found in zip(models, seconds, strict=True):
            start = time.perf_counter()
            for _ in range(options.steps if number else 2):
                model.train_on_batch(images, labels)
            if number:
                found.append((time.perf_counter() - start) / options.steps)
    return [1000 * statistics.median(found) for found in seconds]


def in_own_process(backend, options):
    """Returns what `share` found for each network, on a backend."""
    command = [sys.executable, __file__, "--backend", backend]
    command += ["--steps", str(options.steps), "--rounds", str(options.rounds)]
    found = subprocess.run(
        command,
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(found.stdout.splitlines()[-1])


def main():
    from results import add_output, table, write_results

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backend", choices=BACKENDS, help=argparse.SUPPRESS)
    add_output(parser)
    options = parser.parse_args()
    if options.backend:
        found = {name: share(name, options) for name in NETWORKS}
        print(json.dumps(found))
        return
    rows = []
    for backend in filter(importlib.util.find_spec, BACKENDS):
        for name, times in in_own_process(backend, options).items():
            without, with_layer = times
            rows.append(
                {
                    "": f"{backend}, {name}",
                    "ms without": without,
                    "ms with": with_layer,
                    "share, %": 100 * (1 - without / with_layer),
                }
            )
            print(table(rows[-1:]), flush=True)
    write_results(
        options.output,
        "The share of `RandAugment` in a training step",
        "Two ops, bilinear, in the model, which augments in the step itself. "
        "Batches of 256 images of 32 px and of 32 images of 160 px. In "
        "`tf.data` the images are augmented beside the step.",
        rows,
    )


if __name__ == "__main__":
    main()
