"""A classifier for your images from a network trained on other images.

    python examples/transfer_learning.py            # digits, no download
    python examples/transfer_learning.py --data DIR # a folder per class
    python examples/transfer_learning.py --data DIR --backbone EfficientNetB0
    python examples/transfer_learning.py --data DIR --weights FILE.weights.h5

It takes one `fit()` with the callback `FineTune`. A new head learns on the
frozen backbone, then the whole network learns, with its batch normalization
unchanged. Of each class, `--labels-per-class` images are drawn for training
and validation. Both stages are tested on the other images, which decide
nothing. Without `--data`, a small network learns the digits 0 to 4, and is
then taught 5 to 9.
"""

import argparse
import math
import os
import pathlib
import sys

FOLDER = {"backbone": "MobileNetV2", "image_size": 160, "labels_per_class": 20}
DIGITS = {"backbone": None, "image_size": 32, "labels_per_class": 10}


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data", metavar="DIR", help="a folder per class")
    add("--backbone", metavar="NAME", help="of keras.applications")
    add("--weights", metavar="imagenet|none|FILE", default="imagenet")
    add("--alpha", type=float, help="width of a MobileNet, such as 0.35")
    add("--image-size", type=int)
    add("--labels-per-class", type=int)
    add(
        "--validation-split",
        type=float,
        default=0.2,
        help="a share",
    )
    add("--seeds", type=int, default=1)
    add("--epochs", type=int, default=20)
    add("--batch-size", type=int, default=32)
    add("--learning-rate", type=float, default=1e-2)
    add("--fine-tune-rate", type=float, default=3e-4)
    add("--save", metavar="DIR", default="runs/transfer_learning")
    parser.set_defaults(**(FOLDER if parser.parse_args().data else DIGITS))
    options = parser.parse_args()
    if options.epochs < 2 or options.labels_per_class < 1:
        parser.error(
            "--epochs must be at least 2, and --labels-per-class at least 1"
        )
    if not 0 <= options.validation_split < 1:
        parser.error("--validation-split must be at least 0 and below 1")
    return options


if __name__ == "__main__":
    # Before the imports that take seconds.
    parse_options()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

import keras_fewlabels as kfl


def load_digits(size, first=5):
    """Returns five of scikit-learn's digits as images of three channels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") * (255 / 16)
    x = keras.ops.image.resize(x, (size, size), "bicubic")
    x = np.clip(keras.ops.convert_to_numpy(x).round(), 0, 255).astype("uint8")
    names = [str(first + number) for number in range(5)]
    chosen = np.isin(y, range(first, first + 5))
    return np.repeat(x[chosen], 3, axis=-1), y[chosen] - first, names


def load_folder(size, folder):
    dataset = keras.utils.image_dataset_from_directory(
        folder,
        image_size=(size, size),
        crop_to_aspect_ratio=True,
        batch_size=None,
        shuffle=False,
    )
    x, y = zip(*dataset.as_numpy_iterator(), strict=True)
    x = np.stack([image.round().astype("uint8") for image in x])
    return x, np.array(y), dataset.class_names


def split(y, names, options, seed):
    """Returns the positions of the training, validation and test images."""
    num_labeled = options.labels_per_class
    num_training = num_labeled - round(options.validation_split * num_labeled)
    parts = [], [], []
    random = np.random.default_rng(seed)
    for number, name in enumerate(names):
        order = random.permutation(np.flatnonzero(y == number))
        if len(order) <= num_labeled:
            sys.exit(
                f"The class {name} has {len(order)} images, which leaves none "
                "to test on"
            )
        drawn = np.split(order, [num_training, num_labeled])
        for part, positions in zip(parts, drawn, strict=True):
            part.extend(positions)
    return [random.permutation(part).astype(int) for part in parts]


def pretrain_on_digits(shape):
    backbone = keras.Sequential([keras.Input(shape)], name="small_backbone")
    for width in (16, 32, 64, 128):
        backbone.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        # In a short training, the default of 0.99 keeps the initial values.
        backbone.add(layers.BatchNormalization(momentum=0.9))
        backbone.add(layers.ReLU())
        backbone.add(layers.MaxPooling2D())
    backbone.add(layers.GlobalAveragePooling2D())
    model = build_model(backbone, layers.Rescaling(1 / 255), True, 5, 0.0)
    x, y, _ = load_digits(shape[0], first=0)
    print(f"\nPretraining on the digits 0 to 4, {len(x)} images")
    model.fit(x, y, epochs=10, verbose=2)
    return backbone


def build_backbone(options):
    """Returns a network without its top, and its preprocessing of 0..255."""
    shape = (options.image_size, options.image_size, 3)
    if options.backbone is None:
        return pretrain_on_digits(shape), layers.Rescaling(1 / 255)
    build = getattr(keras.applications, options.backbone)
    width = {"alpha": options.alpha} if options.alpha else {}
    backbone = build(
        include_top=False,
        weights=None if options.weights == "none" else options.weights,
        input_shape=shape,
        pooling="avg",
        **width,
    )
    return backbone, sys.modules[build.__module__].preprocess_input


def build_model(backbone, preprocess, of_digits, num_classes, dropout=0.2):
    inputs = x = keras.Input(backbone.input_shape[1:])
    if of_digits:  # These ops do not turn one digit into another.
        ops = ("identity", "rotate", "shear_x", "translate_x", "translate_y")
        x = kfl.layers.RandAugment(2, magnitude=4, ops=ops, fill_value=0)(x)
    else:
        x = layers.RandomFlip("horizontal")(x)
        x = kfl.layers.RandAugment(num_ops=2, magnitude=5)(x)
    x = backbone(preprocess(x))
    x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(num_classes, activation="softmax", name="head")(x)
    model = keras.Model(inputs, outputs, name="classifier")
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def rise_and_fall(rate, num_steps):
    # The rate starts low, since the optimizer has seen no gradient yet.
    warmup = num_steps // 4
    return keras.optimizers.schedules.CosineDecay(
        0.0, num_steps - warmup, warmup_target=rate, warmup_steps=warmup
    )


def two_stages(options, backbone, num_steps):
    """Returns the callback that trains the head first, then all layers."""
    end, half = options.epochs, options.epochs // 2
    tune_rate = options.fine_tune_rate
    return kfl.callbacks.FineTune(
        backbone,
        schedule={0: 0, half: "all"},
        learning_rates={
            0: rise_and_fall(options.learning_rate, half * num_steps),
            half: rise_and_fall(tune_rate, (end - half) * num_steps),
        },
        # Lower layers know what all images have in common, so they learn less.
        layer_decay=0.7,
        # Without trained weights there are no statistics to keep.
        freeze_batch_norm=options.weights != "none",
    )


def run(options, seed, x, y, names):
    """Trains, tests and saves. Returns the accuracies of both stages."""
    keras.utils.set_random_seed(seed)
    parts = train, validation, test = split(y, names, options, seed)
    backbone, preprocess = build_backbone(options)
    model = build_model(backbone, preprocess, not options.data, len(names))
    counts = "{} images to train on, {} to validate, {} to test"
    print(f"\nSeed {seed}:", counts.format(*map(len, parts)))
    # An epoch repeats the few images, each time augmented anew.
    repeats = math.ceil(20 * options.batch_size / len(train))
    num_steps = math.ceil(repeats * len(train) / options.batch_size)
    end, half = options.epochs, options.epochs // 2
    fine_tune = two_stages(options, backbone, num_steps)
    predicted = []

    def test_stages(epoch, logs):
        if epoch + 1 in (half, end):
            predicted.append(model.predict(x[test], verbose=0))

    tester = keras.callbacks.LambdaCallback(on_epoch_end=test_stages)
    held_out = (x[validation], y[validation]) if len(validation) else None
    history = model.fit(
        np.tile(x[train], (repeats, 1, 1, 1)),
        np.tile(y[train], repeats),
        batch_size=options.batch_size,
        epochs=end,
        validation_data=held_out,
        callbacks=[fine_tune, tester],
        verbose=2,
    )
    folder = pathlib.Path(options.save)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    final = loaded.predict(x[test], verbose=0)
    np.testing.assert_allclose(final, predicted[-1], atol=1e-4)
    curves = kfl.plots.learning_curves(history, stages=fine_tune.schedule)
    curves.savefig(folder / "learning_curves.png")
    shown = test[:20]
    grid = kfl.plots.predictions(x[shown], y[shown], final[:20], names)
    grid.savefig(folder / "predictions.png")
    return [100 * (part.argmax(-1) == y[test]).mean() for part in predicted]


def main():
    options = parse_options()
    size, folder = options.image_size, options.data
    data = load_folder(size, folder) if folder else load_digits(size)
    runs = [run(options, seed, *data) for seed in range(options.seeds)]
    print(f"\n{'':12s}test accuracy, {options.seeds} seed(s)")
    for stage, name in enumerate(("frozen", "fine-tuned")):
        values = [accuracies[stage] for accuracies in runs]
        spread = f" +- {np.std(values, ddof=1):.1f}" if len(runs) > 1 else ""
        print(f"{name:12s}{np.mean(values):.1f}{spread} %")
    print(f"\nIn {options.save}: model.keras, learning curves and predictions")
    print("Its classes, in the order of its outputs:", ", ".join(data[2]))


if __name__ == "__main__":
    main()
