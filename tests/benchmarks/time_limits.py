"""Measures how `fit_noisy_student` keeps its time limit.

    python tests/benchmarks/time_limits.py [--limits 30 120 600]

The images are random, and the networks have random weights and are treated as
trained ones: one that fits into the time, and one that is far too large, for
which there is time for a head alone. Run it on an otherwise idle machine.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_fewlabels as kfl
from results import add_output, table, write_results

SIZE, NUM_CLASSES, NUM_LABELED, NUM_UNLABELED = 160, 5, 50, 2_000
NETWORKS = "MobileNetV2", "EfficientNetV2L"


def measured(network, limit):
    """Returns a row: what a run with a time limit took, and how far it got."""
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).integers(
        0, 256, (NUM_LABELED + NUM_UNLABELED, SIZE, SIZE, 3), "uint8"
    )
    model = kfl.models.classifier(
        network, NUM_CLASSES, (SIZE, SIZE), weights=None
    )
    labels = np.arange(NUM_LABELED) % NUM_CLASSES
    started = time.perf_counter()
    _, report = kfl.loops.fit_noisy_student(
        model,
        (images[:NUM_LABELED], labels),
        images[NUM_LABELED:],
        settings={"pretrained": True},
        time_limit=limit,
        verbose=0,
    )
    seconds = time.perf_counter() - started
    phases = report.to_dict()["phases"]
    return {
        "": network,
        "limit in s": limit,
        "taken in s": round(seconds, 1),
        "share": f"{seconds / limit:.2f}",
        "last phase": phases[-1]["name"],
        "steps": sum(phase["steps"] for phase in phases),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--limits", nargs="+", type=int, default=[30, 120, 600])
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    add_output(parser)
    options = parser.parse_args()
    rows = []
    for network in options.networks:
        for limit in options.limits:
            rows.append(measured(network, limit))
            print(table(rows[-1:]), flush=True)
    write_results(
        options.output,
        "Time limits",
        f"What `fit_noisy_student(time_limit=...)` took with {NUM_LABELED} "
        f"labelled and {NUM_UNLABELED:,} unlabelled images of {SIZE} px, for a "
        "network that fits and one that is far too large.",
        rows,
    )


if __name__ == "__main__":
    main()
