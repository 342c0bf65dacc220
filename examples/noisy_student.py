"""A classifier from few labels and many unlabelled images.

    python examples/noisy_student.py                # handwritten digits
    python examples/noisy_student.py --seeds 5      # mean and spread
    python examples/noisy_student.py --data cifar10
    python examples/noisy_student.py --labeled DIR --unlabeled DIR [--test DIR]

Three models see the same labelled images under the same augmentation:

- supervised: labels only, as many steps as the other two together;
- teacher: labels only, until the validation loss has settled;
- noisy student: starts from the teacher and learns labelled and unlabelled
  images under noise. Its own moving average is its teacher.

For your own images, `--labeled` has one folder per class, and `--unlabeled`
any images. Without `--test`, a fifth of the labelled images is set aside for
validation, and the accuracies are measured on them. `--weights imagenet`, or a
file of such weights, starts from a MobileNetV2 instead of a small network.

The folder `--report` has a page to open (index.html), the trained model and
its pseudo-labels. With several seeds they belong to the last one.
"""

import argparse
import math
import os
import pathlib


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data", choices=("digits", "cifar10"))
    add("--labeled", metavar="DIR")
    add("--unlabeled", metavar="DIR")
    add("--test", metavar="DIR")
    add("--image-size", type=int, help="by default that of the files")
    add("--weights", metavar="imagenet|FILE", help="of a MobileNetV2")
    add("--alpha", type=float, default=0.35, help="width of the MobileNetV2")
    add("--num-labeled", type=int, help="of digits or cifar10")
    add("--seeds", type=int, default=1)
    add("--first-seed", type=int, default=0)
    add("--steps", type=int, help="in all; by default chosen for the data")
    add("--backup", metavar="DIR", help="a killed run resumes from it")
    add("--report", metavar="DIR", default="report")
    arguments = parser.parse_args()
    if bool(arguments.labeled) != bool(arguments.unlabeled):
        parser.error("--labeled and --unlabeled belong together")
    if arguments.labeled and arguments.data:
        parser.error("give either --data or folders")
    if arguments.steps is not None and arguments.steps < 3:
        parser.error("--steps must be at least 3")
    return arguments


if __name__ == "__main__":
    # Before the imports that take seconds.
    parse_arguments()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

import keras_fewlabels as kfl


def load_digits(num_labeled, seed):
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Enlarged, since images of 8 pixels cannot be shifted by half a pixel.
    images = keras.ops.image.resize(
        digits.images[..., None] * (255 / 16), (16, 16), "bicubic"
    )
    images = keras.ops.convert_to_numpy(keras.ops.round(images))
    images = np.clip(images, 0, 255).astype("uint8")
    num_labeled = num_labeled or 50
    labeled, unlabeled, test = kfl.data.split_labels(
        images, digits.target, num_labeled, 1200 - num_labeled, seed=seed
    )
    return {"labeled": labeled, "unlabeled": unlabeled, "test_data": test}


def load_cifar10(num_labeled, seed):
    (x, y), test = keras.datasets.cifar10.load_data()
    labeled, unlabeled, _ = kfl.data.split_labels(
        x, y, num_labeled or 4000, seed=seed
    )
    return {"labeled": labeled, "unlabeled": unlabeled, "test_data": test}


def load(arguments, seed):
    """Returns the images, as `fit_noisy_student` takes them."""
    if arguments.labeled:
        return kfl.data.load_image_folders(
            arguments.labeled,
            arguments.unlabeled,
            test=arguments.test,
            image_size=arguments.image_size,
            validation_split=None if arguments.test else 0.2,
            seed=seed,
        ).arguments()
    if arguments.data == "cifar10":
        data = load_cifar10(arguments.num_labeled, seed)
    else:
        data = load_digits(arguments.num_labeled, seed)
    return {**data, "class_names": [str(number) for number in range(10)]}


def build_classifier(image_shape, num_classes):
    """Returns a small network with more layers for larger images."""
    inputs = keras.Input(image_shape)
    x = convolution(layers.Rescaling(1 / 255)(inputs), 16, strides=2)
    num_stages = max(2, int(math.log2(min(image_shape[:2]))) - 2)
    for stage in range(num_stages):
        x = convolution(x, min(32 * 2**stage, 128))
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    outputs = layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="classifier")


def convolution(x, width, strides=1):
    x = layers.Conv2D(
        width, 3, strides=strides, padding="same", use_bias=False
    )(x)
    # In a short training, the default of 0.99 keeps the initial statistics.
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)


def build_pretrained(image_shape, num_classes, weights, alpha):
    backbone = keras.applications.MobileNetV2(
        input_shape=image_shape,
        alpha=alpha,
        include_top=False,
        weights=weights,
        pooling="avg",
    )
    inputs = keras.Input(image_shape)
    x = backbone(layers.Rescaling(1 / 127.5, offset=-1)(inputs))
    outputs = layers.Dense(num_classes, activation="softmax")(
        layers.Dropout(0.2)(x)
    )
    return keras.Model(inputs, outputs, name="classifier")


def run(arguments, seed):
    """Trains all three models. Returns the one to keep, and the report."""
    data = load(arguments, seed)
    image_shape = data["labeled"][0].shape[1:]
    num_classes = len(data["class_names"])

    def build():
        if arguments.weights:
            return build_pretrained(
                image_shape, num_classes, arguments.weights, arguments.alpha
            )
        return build_classifier(image_shape, num_classes)

    settings = {}
    if arguments.steps:
        settings["supervised_steps"] = arguments.steps // 3
        settings["student_steps"] = arguments.steps - arguments.steps // 3
    backup = arguments.backup and pathlib.Path(arguments.backup, str(seed))
    model, report = kfl.loops.fit_noisy_student(
        build,
        **data,
        settings=settings,
        baseline=True,
        backup_dir=backup,
        seed=seed,
    )
    print(f"\nSeed {seed}\n{report}\n", flush=True)
    return model, report


def print_table(reports):
    details = [report.to_dict() for report in reports]
    split = "test" if details[0]["baseline"]["test"] else "validation"
    print(f"{'':14s}  {split} accuracy, {len(reports)} seed(s)")
    for name, phase in {
        "supervised": lambda run: run["baseline"],
        "teacher": lambda run: run["phases"][0],
        "noisy student": lambda run: run["phases"][-1],
    }.items():
        values = np.array(
            [100 * phase(run)[split]["accuracy"] for run in details]
        )
        spread = f" +- {values.std(ddof=1):.1f}" if len(values) > 1 else ""
        print(f"{name:14s}  {values.mean():.1f}{spread} %")


def main():
    arguments = parse_arguments()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    reports = []
    for seed in seeds:
        model, report = run(arguments, seed)
        reports.append(report)
    report.save(arguments.report)
    print_table(reports)

    # The file has the resizing and the names of the classes as well.
    alone = kfl.models.standalone(
        model,
        report.to_dict()["data"]["class_names"],
        image_size=None,
        value_range=(0, 255),
    )
    file = pathlib.Path(arguments.report, "standalone.keras")
    alone.save(file)
    print(
        f"\nThe report is {arguments.report}/index.html. To use the model:\n\n"
        "    import keras, keras_fewlabels\n"
        f"    model = keras.saving.load_model({str(file)!r})\n"
        "    keras_fewlabels.models.predict_image(model, 'image.jpg')\n"
    )


if __name__ == "__main__":
    main()
