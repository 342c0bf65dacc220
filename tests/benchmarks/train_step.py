"""Measures a step of `NoisyStudentModel` against its arithmetic alone.

    python tests/benchmarks/train_step.py [--xla] [--torch] [--rounds 7]

The floor is a `tf.function` that does the arithmetic of FixMatch and nothing
else: teacher forward, student forward and backward, and the optimizer. All
steps run the same network, like a ResNet-20, on the same batch. They run in
turns, so that other work of the machine slows all of them down. `--torch` adds
a minimal FixMatch step of PyTorch. Run it on an otherwise idle machine.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import keras_fewlabels as kfl
from results import add_output, write_results

WIDTHS = (16, 32, 64)


def resnet():
    def convolution(x, width, strides=1, size=3):
        x = layers.Conv2D(
            width, size, strides=strides, padding="same", use_bias=False
        )(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(convolution(inputs, WIDTHS[0]))
    for stage, width in enumerate(WIDTHS):
        for block in range(3):
            strides = 2 if stage > 0 and block == 0 else 1
            shortcut = convolution(x, width, strides, 1) if strides > 1 else x
            x = layers.ReLU()(convolution(x, width, strides))
            x = layers.ReLU()(layers.Add()([shortcut, convolution(x, width)]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def optimizer():
    return keras.optimizers.SGD(0.03, momentum=0.9, nesterov=True)


def floor_step(arguments):
    """Returns a runner of steps of FixMatch without noise."""
    student, sgd = resnet(), optimizer()
    sgd.build(student.trainable_variables)

    @tf.function(jit_compile=arguments.xla)
    def step(labeled, labels, unlabeled):
        taught = tf.nn.softmax(student(unlabeled, training=False))
        targets = tf.argmax(taught, axis=-1)
        weights = tf.cast(tf.reduce_max(taught, axis=-1) >= 0.95, tf.float32)
        with tf.GradientTape() as tape:
            images = tf.concat([labeled, unlabeled], 0)
            scores = student(images, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits
            supervised = loss(labels, scores[: len(labels)])
            unsupervised = loss(targets, scores[len(labels) :])
            total = tf.reduce_mean(supervised) + tf.reduce_mean(
                weights * unsupervised
            )
        sgd.apply(tape.gradient(total, student.trainable_variables))
        return total

    def run(batch, num_steps):
        images, labels = batch
        tensors = [
            tf.constant(part)
            for part in (images["labeled"], labels, images["unlabeled"])
        ]
        return [timed(lambda: step(*tensors).numpy()) for _ in range(num_steps)]

    return run


def timed(function):
    """Returns the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class StepTimes(keras.callbacks.Callback):
    """Stores the seconds of every step of a fit."""

    def on_train_begin(self, logs=None):
        self.times = []

    def on_train_batch_begin(self, batch, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter() - self.start)


def our_step(arguments, noise):
    identity = keras.layers.Identity()
    model = kfl.models.FixMatch(
        resnet(), noise=noise or identity, weak_noise=identity
    )
    model.compile(
        optimizer(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=arguments.xla,
    )

    def run(batch, num_steps):
        dataset = tf.data.Dataset.from_tensors(batch).repeat(num_steps)
        steps = StepTimes()
        model.fit(dataset, callbacks=[steps], verbose=0)
        return steps.times

    return run


def torch_resnet():
    """Returns the network of `resnet` in PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, inputs, width, strides):
            super().__init__()
            self.first = nn.Conv2d(inputs, width, 3, strides, 1, bias=False)
            self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(2))
            self.shortcut = nn.Identity()
            if strides > 1:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, width, 1, strides, bias=False),
                    nn.BatchNorm2d(width),
                )

        def forward(self, x):
            y = functional.relu(self.norms[0](self.first(x)))
            y = self.norms[1](self.second(y))
            return functional.relu(self.shortcut(x) + y)

    stem = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)
    blocks = [stem, nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()]
    width = WIDTHS[0]
    for stage, wider in enumerate(WIDTHS):
        for block in range(3):
            strides = 2 if stage > 0 and block == 0 else 1
            blocks.append(Block(width, wider, strides))
            width = wider
    return nn.Sequential(
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10)
    ).to(memory_format=torch.channels_last)


def torch_step(arguments):
    """Returns a runner of steps of FixMatch in PyTorch.

    The images have the memory layout that is fastest on CPUs.
    """
    import torch
    from torch.nn import functional

    torch.set_num_threads(os.cpu_count())
    net = torch_resnet()
    sgd = torch.optim.SGD(net.parameters(), 0.03, 0.9, nesterov=True)

    def as_images(array):
        return torch.from_numpy(array).permute(0, 3, 1, 2)

    def run(batch, num_steps):
        images, labels = batch
        labeled, unlabeled = map(
            as_images, (images["labeled"], images["unlabeled"])
        )
        labels = torch.from_numpy(labels)

        def step():
            net.eval()
            with torch.no_grad():
                confidence, targets = net(unlabeled).softmax(1).max(1)
            net.train()
            scores = net(torch.cat([labeled, unlabeled]))
            supervised, unsupervised = scores.split(
                [len(labeled), len(unlabeled)]
            )
            loss = functional.cross_entropy(supervised, labels)
            losses = functional.cross_entropy(
                unsupervised, targets, reduction="none"
            )
            loss = loss + (losses * (confidence >= 0.95)).mean()
            sgd.zero_grad()
            loss.backward()
            sgd.step()

        return [timed(step) for _ in range(num_steps)]

    return run


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--ratio", type=int, default=7)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--torch", action="store_true")
    add_output(parser)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    num_unlabeled = arguments.batch_size * arguments.ratio
    images = {
        "labeled": random.random((arguments.batch_size, 32, 32, 3), "float32"),
        "unlabeled": random.random((num_unlabeled, 32, 32, 3), "float32"),
        "index": np.arange(num_unlabeled, dtype="int32"),
    }
    batch = images, np.arange(arguments.batch_size) % 10
    runs = {
        "floor, by hand": floor_step(arguments),
        "FixMatch, no noise": our_step(arguments, None),
        "FixMatch, RandAugment": our_step(
            arguments, kfl.layers.RandAugment(2, 10, (0, 1))
        ),
    }
    if arguments.torch:
        runs["PyTorch, no noise"] = torch_step(arguments)
    times = {name: [] for name in runs}
    for number in range(arguments.rounds + 1):
        for name, run in runs.items():
            # The first round compiles, and a fit's first step fills caches.
            seconds = run(batch, arguments.steps)[1:]
            if number > 0:
                times[name].append(statistics.median(seconds))
    num_images = arguments.batch_size + num_unlabeled
    kind = "XLA" if arguments.xla else "graph mode"
    print(f"{arguments.batch_size} + {num_unlabeled} images of 32 px, {kind}")
    print(f"{'':22s} images/s  step over the floor (least to most)")
    floor = times["floor, by hand"]
    rows = []
    for name, values in times.items():
        ratios = sorted(np.divide(values, floor))
        rate = num_images / statistics.median(values)
        ratio = (
            f"{statistics.median(ratios):.3f} "
            f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
        )
        rows.append({"": name, "images/s": rate, "step over the floor": ratio})
        print(f"{name:22s} {rate:8.0f}  {ratio}")
    write_results(
        arguments.output,
        f"A training step, {kind}",
        f"{arguments.batch_size} labelled and {num_unlabeled} unlabelled "
        "images of 32 pixels in a step of FixMatch, beside a `tf.function` "
        "that does its arithmetic and nothing else.",
        rows,
    )


if __name__ == "__main__":
    main()
