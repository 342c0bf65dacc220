"""Compares the loop with classifiers on frozen features, on photographs.

    python tests/benchmarks/photographs.py DATA

DATA is a folder with a folder `SET/CLASS/*.jpg` per set of photographs, and
with `weights/efficientnet_lite0.py`, the backbone with its weights. A quarter
of each set is for the test, drawn anew for each seed; of the rest, the first
images of each class are labelled and the others unlabelled.

Each run is written to `--results`, and a run that is there is not repeated. So
the command may be stopped and started again. It prints a table: for each set
and number of labels the mean test accuracy over the seeds, in percent. `LR`,
`SVM`, `LS` and `ST` are the logistic regression, the support vector machine,
the label spreading and the self-training of scikit-learn on the features of the
frozen backbone; `best head` is the best of the four for each split, chosen
afterwards on the test images. `FineTune` trains all layers on the labels alone
for 300 s. The other columns are `fit_noisy_student` with these time limits.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import keras
import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC

import keras_fewlabels as kfl
from results import FILES, add_output, table, write_results

TITLE = "Photographs, with a network that comes trained"
ABOUT = (
    "Test accuracy in % on photographs of flowers, household waste (trash), "
    "surfaces of steel, and hands that show digits, with EfficientNet-Lite0. "
    "*best head* is the best of four heads of scikit-learn on its frozen "
    "features, for each split chosen afterwards on the test images: logistic "
    "regression (LR), support vector machine (SVM), label spreading (LS) and "
    "self-training (ST). Columns with a time are `fit_noisy_student` with this "
    "limit."
)
ABOUT_FINE_TUNE = " *FineTune* trains all layers on the labels alone for 300 s."
HEADS = "LR", "SVM", "LS", "ST"
LABELS = "labels per class"
COLUMNS = {
    "FineTune": "FineTune",
    "60": "60 s",
    "300": "300 s",
    "900": "900 s",
}
# As for `Rescaling`, what EfficientNet-Lite0 was trained with.
PREPROCESSING = 1 / 128, -127 / 128


def backbone_of(data):
    """Returns the function that builds EfficientNet-Lite0."""
    sys.path.insert(0, str(data / "weights"))
    from efficientnet_lite0 import efficientnet_lite0

    return efficientnet_lite0


def load(folder, size):
    """Returns the images, their classes and their number."""
    files = sorted(folder.glob("*/*.jpg"))
    names = sorted({file.parent.name for file in files})
    images = [
        np.asarray(
            Image.open(file).convert("RGB").resize((size, size), Image.BICUBIC)
        )
        for file in files
    ]
    labels = [names.index(file.parent.name) for file in files]
    return np.stack(images), np.array(labels), len(names)


def split(labels, per_class, seed):
    """Returns the numbers of labelled, unlabelled and test images."""
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = np.split(order, [len(labels) // 4])
    labeled = np.concatenate(
        [
            train[labels[train] == number][:per_class]
            for number in range(labels.max() + 1)
        ]
    )
    return labeled, np.setdiff1d(train, labeled), test


def frozen_heads(features, labels, labeled, unlabeled, test):
    """Returns the test accuracies of classifiers on frozen features."""
    train = np.concatenate([labeled, unlabeled])
    partly = np.concatenate([labels[labeled], np.full(len(unlabeled), -1)])
    given = features[labeled], labels[labeled]
    heads = {
        "LR": LogisticRegression(C=30, max_iter=1000).fit(*given),
        "SVM": SVC(C=10).fit(*given),
        "LS": LabelSpreading("knn", n_neighbors=10, max_iter=100).fit(
            features[train], partly
        ),
        "ST": SelfTrainingClassifier(
            LogisticRegression(C=30, max_iter=300), threshold=0.75
        ).fit(features[train], partly),
    }
    return {
        name: {"accuracy": head.score(features[test], labels[test])}
        for name, head in heads.items()
    }


def fine_tune(model, labeled, test, seconds):
    """Trains all layers on labels alone, as `FineTune` does by default."""
    started = time.perf_counter()

    class InTime(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if time.perf_counter() - started > seconds:
                self.model.stop_training = True

    backbone = model.layers[2]
    flip = keras.layers.RandomFlip("horizontal")
    noise = kfl.layers.RandAugment(2, 5, table="fixmatch")
    images = keras.Input(model.input_shape[1:])
    trained = keras.Model(images, model(noise(flip(images))))
    trained.compile(
        keras.optimizers.AdamW(3e-4, weight_decay=1e-2),
        "sparse_categorical_crossentropy",
    )
    trained.fit(
        *labeled,
        epochs=10_000,
        verbose=0,
        callbacks=[
            kfl.callbacks.FineTune(backbone, {0: 0, 20: "all"}),
            InTime(),
        ],
    )
    return accuracy(model, test)


def accuracy(model, labeled):
    images, labels = labeled
    predicted = model.predict(images, batch_size=64, verbose=0).argmax(axis=1)
    return float(np.mean(predicted == labels))


class Benchmark:
    """Runs what is not in the file of results, and writes it there."""

    def __init__(self, options):
        self.build = backbone_of(options.data)
        self.options = options
        self.results = {}
        if options.results.exists():
            self.results = json.loads(options.results.read_text())

    def run(self, name):
        images, labels, num_classes = load(
            self.options.data / name, self.options.sizes[name]
        )
        features = None
        for per_class in self.options.per_class:
            for seed in self.options.seeds:
                parts = split(labels, per_class, seed)
                data = [(images[part], labels[part]) for part in parts]
                key = f"{name} {per_class} {seed}"
                if f"{key} LR" not in self.results:
                    if features is None:
                        features = self.features(images)
                    found = frozen_heads(features, labels, *parts)
                    for head, result in found.items():
                        self.write(f"{key} {head}", result)
                for column in self.options.columns:
                    if f"{key} {column}" not in self.results:
                        self.write(
                            f"{key} {column}",
                            self.trained(column, num_classes, data, seed),
                        )

    def features(self, images):
        backbone = self.build(images.shape[1:], pooling="avg")
        scale, offset = PREPROCESSING
        inputs = images.astype("float32") * scale + offset
        return normalize(backbone.predict(inputs, batch_size=64, verbose=0))

    def trained(self, column, num_classes, data, seed):
        labeled, (unlabeled, _), test = data
        keras.utils.set_random_seed(seed)
        size = unlabeled.shape[1:3]
        model = kfl.models.classifier(
            self.build((*size, 3)),
            num_classes,
            size,
            preprocessing=PREPROCESSING,
        )
        started = time.perf_counter()
        if column == "FineTune":
            found = fine_tune(model, labeled, test, 300)
            return {
                "accuracy": found,
                "seconds": time.perf_counter() - started,
            }
        model, report = kfl.loops.fit_noisy_student(
            model,
            labeled,
            unlabeled,
            time_limit=float(column),
            seed=seed,
            verbose=0,
        )
        seconds = time.perf_counter() - started
        rungs = [
            [phase["name"], phase["steps"], round(phase["seconds"], 1)]
            for phase in report.to_dict()["phases"]
        ]
        found = accuracy(model, test)
        return {"accuracy": found, "seconds": seconds, "rungs": rungs}

    def write(self, key, result):
        self.results[key] = result
        self.options.results.write_text(json.dumps(self.results, indent=1))
        print(key, json.dumps(result), flush=True)


def rows_of(results, seeds):
    """Returns the accuracies of each set and number of labels, in percent.

    The last two rows are the mean and the least difference to the best head.

    Args:
        results: Dict of the name of a run to its result.
        seeds: Sequence of ints. Only what has run with all of them is told.
    """
    cells = {}
    for key, result in results.items():
        name, per_class, seed, column = key.split(" ")
        if int(seed) in seeds:
            cell = cells.setdefault((name, int(per_class)), {})
            cell = cell.setdefault(COLUMNS.get(column, column), {})
            cell[int(seed)] = 100 * result["accuracy"]
    columns = *HEADS, "best head", *COLUMNS.values()
    rows, differences = [], {}
    for (name, per_class), cell in sorted(cells.items()):
        cell = {
            column: [found[seed] for seed in seeds]
            for column, found in cell.items()
            if len(found) == len(seeds)
        }
        if COLUMNS["300"] not in cell:
            continue
        cell["best head"] = [
            max(heads) for heads in zip(*map(cell.get, HEADS), strict=True)
        ]
        row = {LABELS: f"{name}, {per_class}"}
        rows.append(row | {key: cell[key] for key in columns if key in cell})
        best = statistics.fmean(cell["best head"])
        for column in COLUMNS.values():
            if column in cell:
                gain = statistics.fmean(cell[column]) - best
                differences.setdefault(column, []).append(gain)
    told = {
        column: found
        for column, found in differences.items()
        if len(found) == len(rows)
    }
    for row in rows:
        for column in set(COLUMNS.values()) - set(told):
            row.pop(column, None)
    for text, choose in ("mean", statistics.fmean), ("least", min):
        rows.append(
            {LABELS: f"{text} difference to *best head*"}
            | {column: choose(found) for column, found in told.items()}
        )
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument(
        "--sets",
        nargs="+",
        default=["flowers", "trash", "steel", "hands"],
    )
    parser.add_argument("--per-class", nargs="+", type=int, default=[4, 10, 25])
    parser.add_argument("--seeds", nargs="+", type=int, default=[100, 101, 102])
    parser.add_argument(
        "--columns", nargs="+", default=["60", "300", "FineTune"]
    )
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument(
        "--results",
        type=pathlib.Path,
        default=FILES / "runs" / "photographs.json",
    )
    add_output(parser)
    options = parser.parse_args()
    options.sizes = dict.fromkeys(options.sets, options.size) | {"hands": 100}
    benchmark = Benchmark(options)
    for name in options.sets:
        benchmark.run(name)
    rows = rows_of(benchmark.results, options.seeds)
    print(table(rows))
    about = ABOUT + ABOUT_FINE_TUNE * ("FineTune" in rows[0])
    write_results(options.output, TITLE, about, rows, options.seeds)


if __name__ == "__main__":
    main()
