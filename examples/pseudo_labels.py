"""Five more lines, and your model learns from a folder without labels.

    python examples/pseudo_labels.py                # digits, no download
    python examples/pseudo_labels.py --seeds 3      # mean and spread
    python examples/pseudo_labels.py --labeled DIR --unlabeled DIR [--test DIR]
    python examples/pseudo_labels.py --labeled DIR --unlabeled DIR \\
        --model FILE.keras                          # yours, as it is compiled

The model is trained twice with the same number of steps: on the labels alone,
and with the callback `PseudoLabeler`. `--labeled` has a folder per class.
Without `--test`, a fifth of its images is kept for the test, which decides
nothing. If `--unlabeled` has folders of the same names, the figure shows the
accuracy of the pseudo-labels. The training does not use these names. Without
any folder, the example writes handwritten digits into temporary folders.
"""

import argparse
import csv
import os
import pathlib
import tempfile


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--labeled", metavar="DIR")
    add("--unlabeled", metavar="DIR")
    add("--test", metavar="DIR")
    add(
        "--model",
        metavar="FILE",
        help="for images of 0..255 and class numbers",
    )
    add(
        "--image-size",
        type=int,
        help="without --model; by default 64, for digits 16",
    )
    add("--threshold", type=float, default=0.95)
    add("--seeds", type=int, default=1)
    add("--first-seed", type=int, default=0)
    add("--epochs", type=int, default=30)
    add("--steps-per-epoch", type=int, default=50)
    add("--batch-size", type=int, default=32)
    add("--save", metavar="DIR", default="runs/pseudo_labels")
    options = parser.parse_args()
    if bool(options.labeled) != bool(options.unlabeled):
        parser.error("--labeled and --unlabeled belong together")
    options.image_size = options.image_size or (64 if options.labeled else 16)
    return options


if __name__ == "__main__":
    # Before the imports that take seconds.
    parse_options()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

import keras_fewlabels as kfl


def write_digits(folder, seed):
    """Writes folders of 50 labelled, 1,150 unlabelled and 597 test images."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, y = load_digits(return_X_y=True)
    images = np.repeat(images.reshape(-1, 8, 8, 1) * (255 / 16), 3, axis=-1)
    folders, rest = [], range(len(images))
    for name, size in (("labeled", 50), ("unlabeled", 1150), ("test", None)):
        chosen = rest
        if size is not None:
            chosen, rest = train_test_split(
                rest, train_size=size, stratify=y[rest], random_state=seed
            )
        for number in chosen:
            path = folder / name / str(y[number]) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            keras.utils.save_img(path, images[number], scale=False)
        folders.append(folder / name)
    return folders


def load_folders(labeled, unlabeled, test, shape, seed):
    def read(folder, **options):
        return keras.utils.image_dataset_from_directory(
            folder,
            image_size=shape[:2],
            color_mode="grayscale" if shape[2] == 1 else "rgb",
            batch_size=None,
            seed=seed,
            **options,
        )

    if test:
        labeled = read(labeled)
        test = read(test, class_names=labeled.class_names)
    else:
        labeled, test = read(labeled, validation_split=0.2, subset="both")
    names = labeled.class_names
    # In a fixed order, because a pseudo-label belongs to a place in it.
    unlabeled = read(unlabeled, labels=None, shuffle=False)
    # The few labelled images are read many times, so keep them in memory.
    return labeled.cache(), unlabeled, test.batch(256), names


def true_classes(unlabeled, names):
    """Returns the classes of the folder names, or `None` for other names."""
    folders = [pathlib.Path(file).parent.name for file in unlabeled.file_paths]
    if set(folders) <= set(names):
        return np.array([names.index(folder) for folder in folders])
    return None


def build_model(shape, num_classes, num_steps):
    """Returns a compiled model. Put your own here."""
    ops = ("identity", "rotate", "shear_x", "translate_x", "translate_y")
    model = keras.Sequential([keras.Input(shape)])
    model.add(kfl.layers.RandAugment(2, magnitude=5, ops=ops, fill_value=0))
    model.add(layers.Rescaling(1 / 255))
    for width in (16, 32, 64):
        model.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        # In a short training, the default of 0.99 keeps the initial values.
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(num_classes, activation="softmax"))
    rate = keras.optimizers.schedules.CosineDecay(3e-3, num_steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def fit_on_labels(model, labeled, options):
    batches = labeled.shuffle(1024).repeat().batch(options.batch_size)
    model.fit(
        batches,
        epochs=options.epochs,
        steps_per_epoch=options.steps_per_epoch,
        shuffle=False,
        verbose=2,
    )


def fit_with_pseudo_labels(model, labeled, unlabeled, names, options):
    # Added, 1: the images to label, and how confident the model must be.
    labeler = kfl.callbacks.PseudoLabeler(
        unlabeled,
        policy=kfl.policies.FixedThreshold(options.threshold),
        truth=true_classes(unlabeled, names),
    )
    # Added, 2: batches of labelled and, later, of pseudo-labelled images.
    batches = labeler.mixed_with(
        labeled, options.batch_size, steps_per_epoch=options.steps_per_epoch
    )
    # Added, 3: the callback. The rest of the fit stays the same.
    model.fit(
        batches,
        epochs=options.epochs,
        callbacks=[labeler],
        shuffle=False,
        verbose=2,
    )
    # Added, 4: confidence and classes of the pseudo-labels in each round.
    figure = kfl.plots.pseudo_labels(labeler.to_dict(), labeler.rounds, names)
    figure.savefig(f"{options.save}/pseudo_labels.png", dpi=120)
    # Added, 5: the pseudo-label of each image and its history.
    write_table(f"{options.save}/pseudo_labels.csv", labeler.to_dict(), names)


def write_table(path, labels, names):
    columns = ("file", "label", "confidence", "first_kept", "num_changes")
    # The label -1 means no label. As an index it takes the last name, "".
    labels["label"] = np.array([*names, ""])[labels["label"]]
    # Names of files may hold bytes that are not UTF-8.
    options = {"encoding": "utf-8", "errors": "backslashreplace"}
    with open(path, "w", newline="", **options) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(labels[name] for name in columns), strict=True))


def run(options, folders, seed):
    """Returns test accuracies without and with pseudo-labels, in percent."""
    shape = (options.image_size, options.image_size, 3)
    if options.model:
        shape = keras.saving.load_model(options.model).input_shape[1:]
    labeled, unlabeled, test, names = load_folders(*folders, shape, seed)
    accuracies = {}
    for name in ("labels alone", "pseudo-labels"):
        print(f"\nSeed {seed}: {name}", flush=True)
        keras.utils.set_random_seed(seed)
        if options.model:
            model = keras.saving.load_model(options.model)
        else:
            num_steps = options.epochs * options.steps_per_epoch
            model = build_model(shape, len(names), num_steps)
        if name == "labels alone":
            fit_on_labels(model, labeled, options)
        else:
            fit_with_pseudo_labels(model, labeled, unlabeled, names, options)
        accuracy = keras.metrics.SparseCategoricalAccuracy()
        for images, y in test:
            accuracy.update_state(y, model.predict_on_batch(images))
        accuracies[name] = 100 * float(accuracy.result())
        print(f"Seed {seed}: {name}, test accuracy {accuracies[name]:.1f} %")
    model.save(f"{options.save}/model.keras")
    return accuracies


def main():
    options = parse_options()
    pathlib.Path(options.save).mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            folders = options.labeled, options.unlabeled, options.test
            if not options.labeled:
                folders = write_digits(pathlib.Path(folder), seed)
            runs.append(run(options, folders, seed))
    print(f"\n{'':15s}test accuracy, {options.seeds} seed(s)")
    for name in runs[0]:
        values = [accuracies[name] for accuracies in runs]
        spread = f" +- {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
        print(f"{name:15s}{np.mean(values):.1f}{spread} %")
    print(f"\nIn {options.save}: pseudo_labels.png and .csv, model.keras")


if __name__ == "__main__":
    main()
