"""Measures `RandAugment` inside of compiled functions of each backend.

    python tests/benchmarks/rand_augment_backends.py [--size 32 224]

The layer gets uint8 images on two cores of the processor: in a graph and in an
XLA function of TensorFlow, jitted by JAX, and on torch. Beside it are
torchvision's `RandAugment` on tensors of one image each, as it draws once per
call, and kornia's. Each runs in a process of its own. Peers that are not
installed are left out:

    pip install torchvision kornia
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

import numpy as np

SECONDS = 4.0


def batch_of(size):
    count = 256 if size <= 64 else 32
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, size, size, 3), "uint8")


def layer():
    import keras_fewlabels as kfl

    return kfl.layers.RandAugment(2, 10)


def tensorflow_graph(images, xla=False):
    import tensorflow as tf

    ours, batch = layer(), tf.constant(images)
    step = tf.function(lambda: ours(batch, training=True), jit_compile=xla)
    return lambda: step().numpy()


def tensorflow_xla(images):
    return tensorflow_graph(images, xla=True)


def jax_jit(images):
    import jax

    ours, batch = layer(), jax.numpy.asarray(images)
    step = jax.jit(lambda number: ours(batch, training=True, index=number))
    numbers = iter(range(10**9))
    return lambda: step(next(numbers)).block_until_ready()


def torch_eager(images):
    import torch

    ours, batch = layer(), torch.from_numpy(images)
    return lambda: ours(batch, training=True)


def torchvision_tensors(images):
    import torch

    # Some builds of torch lack operators that torchvision needs at import.
    sys.modules["torchvision._meta_registrations"] = types.ModuleType("none")
    from torchvision.transforms import v2

    transform = v2.RandAugment(
        2, 10, interpolation=v2.InterpolationMode.BILINEAR
    )
    tensors = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    return lambda: [transform(image) for image in tensors]


def kornia_tensors(images):
    import torch
    from kornia.augmentation.auto import RandAugment

    transform = RandAugment(2, 10)
    tensors = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    return lambda: [transform(image[None]) for image in tensors]


# Backend, what it needs, and what is measured.
FORMS = {
    "TensorFlow, graph": ("tensorflow", "tensorflow", tensorflow_graph),
    "TensorFlow, XLA": ("tensorflow", "tensorflow", tensorflow_xla),
    "JAX": ("jax", "jax", jax_jit),
    "torch": ("torch", "torch", torch_eager),
    "torchvision": ("torch", "torchvision", torchvision_tensors),
    "kornia": ("torch", "kornia", kornia_tensors),
}


def rate(form, size):
    """Returns images per second."""
    images = batch_of(size)
    run = FORMS[form][2](images)
    run()
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        run()
        count += len(images)
    return count / (time.perf_counter() - start)


def in_own_process(form, size):
    """Returns images per second, measured by a process of the backend."""
    command = [sys.executable, __file__, "--form", form, "--size", str(size)]
    environment = {**os.environ, "KERAS_BACKEND": FORMS[form][0]}
    found = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(found.stdout.split()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, nargs="+", default=[32, 224])
    parser.add_argument("--form", choices=FORMS, help=argparse.SUPPRESS)
    if "--form" in sys.argv:
        options = parser.parse_args()
        print(rate(options.form, options.size[0]))
        return
    # Not in the processes above, whose backend it would import.
    from results import add_output, table, write_results

    add_output(parser)
    options = parser.parse_args()
    rows = []
    for form, (_, needed, _) in FORMS.items():
        if importlib.util.find_spec(needed) is None:
            continue
        rates = {
            f"{size} px": round(in_own_process(form, size))
            for size in options.size
        }
        rows.append({"images/s": form, **rates})
        print(table(rows[-1:]), flush=True)
    write_results(
        options.output,
        "Speed of RandAugment on each backend",
        "Two ops of magnitude 10, bilinear, on batches of uint8 images on two "
        "cores, compiled where the backend compiles. torchvision and kornia "
        "get tensors of one image at a time, for which they draw.",
        rows,
    )


if __name__ == "__main__":
    main()
