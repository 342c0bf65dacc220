"""Measures the main example, beside classifiers of scikit-learn, on digits.

    python tests/benchmarks/digits.py --first-seed 300 --seeds 5

The data are those of `examples/noisy_student.py`: 50 labelled, 1,150
unlabelled and 597 test images. LabelSpreading has the number of neighbours that
is best on these test images.
"""

import argparse
import importlib.util
import pathlib

from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from results import add_output, add_seeds, seeds_of, write_results

ABOUT = (
    "Test accuracy in % on 597 handwritten digits of scikit-learn. "
    "`fit_noisy_student` chose its settings itself; its rules were made while "
    "looking at other splits of the same digits. LabelSpreading has the number "
    "of neighbours that is best on these test images (3, 5, 7 or 10)."
)
ACCURACY = "test accuracy, %"
FROM = "learns from"


def example():
    """Returns the module of the main example."""
    root = pathlib.Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location(
        "noisy_student", root / "examples" / "noisy_student.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def heads(data):
    """Returns the test accuracies of classifiers on pixels."""
    (images, labels), (test, truth) = data["labeled"], data["test_data"]

    def pixels(images):
        return images.reshape(len(images), -1) / 255

    train = pixels(images), labels
    few_and_many = partly_labeled(data)
    logistic = LogisticRegression(max_iter=1000)
    spread = [
        LabelSpreading("knn", n_neighbors=count, max_iter=100).fit(
            pixels(few_and_many[0]), few_and_many[1]
        )
        for count in (3, 5, 7, 10)
    ]
    self_trained = SelfTrainingClassifier(logistic, threshold=0.75).fit(
        pixels(few_and_many[0]), few_and_many[1]
    )
    return {
        "LogisticRegression": logistic.fit(*train).score(pixels(test), truth),
        "SelfTrainingClassifier": self_trained.score(pixels(test), truth),
        "LabelSpreading": max(
            head.score(pixels(test), truth) for head in spread
        ),
    }


def partly_labeled(data):
    import numpy as np

    images, labels = data["labeled"]
    unknown = np.full(len(data["unlabeled"]), -1)
    return (
        np.concatenate([images, data["unlabeled"]]),
        np.concatenate([labels, unknown]),
    )


def accuracies(module, seed):
    """Returns the test accuracies of all models of a seed, in percent."""
    options = argparse.Namespace(
        data="digits", labeled=None, num_labeled=None, weights=None, steps=None
    )
    options.backup = None
    _, report = module.run(options, seed)
    found = report.to_dict()
    runs = {
        "labels alone": found["baseline"],
        "teacher": found["phases"][0],
        "noisy student": found["phases"][-1],
    }
    figures = {name: run["test"]["accuracy"] for name, run in runs.items()}
    figures |= heads(module.load(options, seed))
    return {name: 100 * figure for name, figure in figures.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_seeds(parser)
    add_output(parser)
    arguments = parser.parse_args()
    seeds = seeds_of(arguments)
    found = [accuracies(example(), seed) for seed in seeds]
    both = "50 labels, 1,150 unlabelled"
    names = {
        "noisy student": ("`fit_noisy_student`", both),
        "teacher": ("its teacher, until the loss has settled", "50 labels"),
        "labels alone": ("labels alone, as many steps", "50 labels"),
        "LabelSpreading": ("LabelSpreading of scikit-learn", both),
        "SelfTrainingClassifier": ("SelfTrainingClassifier, on pixels", both),
        "LogisticRegression": ("LogisticRegression, on pixels", "50 labels"),
    }
    rows = [
        {"": name, FROM: source, ACCURACY: [each[key] for each in found]}
        for key, (name, source) in names.items()
    ]
    for row in rows:
        print(row)
    write_results(
        arguments.output, "Digits from scratch", ABOUT, rows, list(seeds)
    )


if __name__ == "__main__":
    main()
