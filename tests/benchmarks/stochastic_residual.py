"""Measures training of residual stacks that skip blocks, and of full stacks.

The script prints ratios of the elapsed time, and of the time of all processor
cores. The former can be off by half if the machine does other work as well.

    python tests/benchmarks/stochastic_residual.py [--blocks 54] [--rounds 5]
"""

import argparse
import time

import keras
import numpy as np
from keras import layers

from keras_fewlabels.layers import StochasticDepth, StochasticResidual
from keras_fewlabels.models import linear_rates
from results import add_output, write_results


def conv(filters):
    return [
        layers.Conv2D(filters, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]


def full(branch, rate):
    return lambda x: layers.Add()([x, branch(x)])


def dropped(branch, rate):
    return lambda x: StochasticDepth(rate)([x, branch(x)])


def skipped(branch, rate):
    return StochasticResidual(branch, rate)


def skipped_huang(branch, rate):
    return StochasticResidual(branch, rate, scale="inference")


def build(join, args, jit_compile):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((args.size, args.size, 3), batch_size=args.batch)
    x = layers.Conv2D(args.filters, 3, padding="same")(inputs)
    for rate in linear_rates(args.blocks, args.final_rate):
        branch = keras.Sequential([*conv(args.filters), *conv(args.filters)])
        x = join(branch, rate)(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=jit_compile)
    return model


def seconds_per_step(models, args):
    # In turns, so that other work of the machine slows all of them down.
    images = np.random.default_rng(0).random(
        (args.batch * args.steps, args.size, args.size, 3), "float32"
    )
    labels = np.arange(len(images)) % 10
    times = {name: [] for name in models}
    for number in range(args.rounds + 1):
        for name, model in models.items():
            start = clocks()
            model.fit(images, labels, batch_size=args.batch, verbose=0)
            if number > 0:  # The first round compiles.
                times[name].append((clocks() - start) / args.steps)
    return {name: np.median(values, axis=0) for name, values in times.items()}


def clocks():
    return np.array([time.perf_counter(), time.process_time()])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=54)
    parser.add_argument("--final-rate", type=float, default=0.5)
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    add_output(parser)
    args = parser.parse_args()
    rates = linear_rates(args.blocks, args.final_rate)
    print(f"{args.blocks} blocks, backend {keras.backend.backend()}")
    print(f"expected share of blocks that run: {1 - np.mean(rates):.2f}")
    print(f"{'':6}{'stack':14}{'ms per step':>12}{'ratio':>7}", end="")
    print(f"{'processor ms':>14}{'ratio':>7}")
    rows = []
    for mode, jit_compile in (("graph", False), ("XLA", True)):
        models = {
            join.__name__: build(join, args, jit_compile)
            for join in (full, dropped, skipped, skipped_huang)
        }
        for name, seconds in (times := seconds_per_step(models, args)).items():
            wall, cpu = seconds / times["full"]
            row = {"": mode, "stack": name, "ms per step": 1000 * seconds[0]}
            rows.append(
                row | {"to full": f"{wall:.2f}", "processor": f"{cpu:.2f}"}
            )
            print(
                f"{mode:6}{name:14}{1000 * seconds[0]:12.1f}{wall:7.2f}", end=""
            )
            print(f"{1000 * seconds[1]:14.1f}{cpu:7.2f}", flush=True)
    write_results(
        args.output,
        "Residual blocks that are skipped",
        f"{args.blocks} blocks, of which a share of "
        f"{1 - np.mean(rates):.2f} runs in a step. `skipped` is "
        "`StochasticResidual`, and `dropped` is `StochasticDepth`, which "
        "computes all of them.",
        rows,
    )


if __name__ == "__main__":
    main()
