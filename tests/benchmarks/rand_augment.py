"""Measures images per second of RandAugment and its peers on two cores.

    python tests/benchmarks/rand_augment.py [--size 32 224] [--seconds 4]

All apply two ops of magnitude 10 to uint8 images and return uint8. Keras core
and keras-cv take and return floats, whose conversion back is not measured.
Layers run in `tf.data` with two parallel calls and batches of 256 images, or of
32 above 64 pixels. Peers of Pillow and OpenCV run in two worker processes, as
in a data loader. Peers that are not installed are left out:

    pip install timm albumentations torchvision
"""

import argparse
import importlib.util
import multiprocessing
import os
import random
import sys
import time
import types

# Before TensorFlow or OpenCV start their threads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

import numpy as np

from results import add_output, write_results


def keras_fewlabels_nearest():
    import keras_fewlabels

    return keras_fewlabels.layers.RandAugment(interpolation="nearest")


def keras_fewlabels_bilinear():
    import keras_fewlabels

    return keras_fewlabels.layers.RandAugment(interpolation="bilinear")


def keras_cv():
    import keras_cv

    return keras_cv.layers.RandAugment(
        value_range=(0, 255), augmentations_per_image=2, magnitude=0.33
    )


def keras_core():
    import keras

    return keras.layers.RandAugment((0, 255), num_ops=2, factor=0.33)


def timm(size):
    from PIL import Image
    from timm.data.auto_augment import rand_augment_transform

    settings = {"translate_const": size // 4, "img_mean": (128,) * 3}
    transform = rand_augment_transform("rand-m10-n2", settings)
    return lambda image: np.asarray(transform(Image.fromarray(image)))


def torchvision(size):
    from PIL import Image
    from torchvision.transforms import v2

    transform = v2.RandAugment(2, 10)
    return lambda image: np.asarray(transform(Image.fromarray(image)))


def albumentations(size):
    import albumentations as A
    import cv2

    cv2.setNumThreads(1)
    shift = (-0.45, 0.45)
    ops = [
        A.AutoContrast(p=1),
        A.Equalize(p=1),
        A.Solarize(p=1),
        A.Posterize(p=1),
        A.ColorJitter(p=1),
        A.RandomBrightnessContrast(p=1),
        A.Sharpen(p=1),
        A.Affine(rotate=(-30, 30), p=1),
        A.Affine(shear=(-17, 17), p=1),
        A.Affine(translate_percent=shift, p=1),
    ]
    transform = A.SomeOf(ops, n=2, replace=True, p=1)
    return lambda image: transform(image=image)["image"]


IN_TF_DATA = {
    keras_fewlabels_nearest: "nearest",
    keras_fewlabels_bilinear: "bilinear",
    keras_cv: "bilinear",
    keras_core: "bilinear",
}
IN_PROCESSES = {
    timm: "bilinear or bicubic",
    torchvision: "nearest",
    albumentations: "bilinear",
}


def random_images(size):
    shape = (256, size, size, 3)
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


def rate_in_tf_data(make, size, seconds):
    import tensorflow as tf

    layer, ours = make(), make.__name__.startswith("keras_fewlabels")
    batch_size = 256 if size <= 64 else 32

    def augment(images):
        images = images if ours else tf.cast(images, "float32")
        return layer(images, training=True)

    dataset = tf.data.Dataset.from_tensor_slices(random_images(size)).repeat()
    dataset = dataset.batch(batch_size, drop_remainder=True)
    dataset = dataset.map(augment, num_parallel_calls=2).prefetch(2)
    iterator = iter(dataset)
    for _ in range(4):
        next(iterator)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(iterator)
        count += batch_size
    return count / (time.perf_counter() - start)


def work(make, size, seed, seconds, results):
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    # Some builds of torch lack operators that torchvision needs at import.
    sys.modules["torchvision._meta_registrations"] = types.ModuleType("none")
    transform, images = make(size), random_images(size)
    for image in images[:32]:
        transform(image)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        transform(images[count % len(images)])
        count += 1
    results.put(count / (time.perf_counter() - start))


def rate_in_processes(make, size, seconds):
    results = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(
            target=work, args=(make, size, seed, seconds, results)
        )
        for seed in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError(f"{make.__name__} failed; see above")
    return sum(results.get() for _ in workers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[32, 224])
    parser.add_argument("--seconds", type=float, default=4.0)
    add_output(parser)
    options = parser.parse_args()
    rows = []
    print(f"{'images/s':26s} {'interpolation':20s}", end="")
    print(*(f"{f'{size} px':>10s}" for size in options.size))
    # The processes come first, so that they inherit no threads of TensorFlow.
    for peers, rate in (
        (IN_PROCESSES, rate_in_processes),
        (IN_TF_DATA, rate_in_tf_data),
    ):
        for make, interpolation in peers.items():
            package = make.__name__.removesuffix("_nearest")
            package = package.removesuffix("_bilinear")
            package = "keras" if make is keras_core else package
            if importlib.util.find_spec(package) is None:
                continue
            rates = [rate(make, size, options.seconds) for size in options.size]
            row = {"images/s": make.__name__, "interpolation": interpolation}
            sizes = [f"{size} px" for size in options.size]
            rows.append(row | dict(zip(sizes, map(round, rates), strict=True)))
            print(f"{make.__name__:26s} {interpolation:20s}", end="")
            print(*(f"{rate:10,.0f}" for rate in rates), flush=True)
    write_results(
        options.output,
        "Speed of RandAugment",
        "Two ops of magnitude 10 on uint8 images, on two cores. Keras and "
        "keras-cv take and return floats, whose conversion back is not "
        "measured.",
        rows,
    )


if __name__ == "__main__":
    main()
