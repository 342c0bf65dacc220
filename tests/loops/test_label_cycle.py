"""Train, let a person label what is proposed, and train again."""

import importlib.util

import numpy as np
import pytest

from documents import ROOT
from keras_fewlabels.loops.noisy_student.phases.fine_tuning import FineTuning


@pytest.fixture(scope="module")
def benchmark():
    """The module that also measures the cycle beside random labels."""
    spec = importlib.util.spec_from_file_location(
        "label_cycle", ROOT / "tests" / "benchmarks" / "label_cycle.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_three_rounds_from_two_labels_per_class(
    benchmark, tmp_path, monkeypatch
):
    monkeypatch.setattr(FineTuning, "train", benchmark.without_fine_tuning)
    propose = benchmark.propose
    accuracies, folders, model = benchmark.cycle(tmp_path, 0, propose)
    assert accuracies[-1] > accuracies[0] + 0.05
    images, labels = folders.labeled
    assert len(images) == len(labels) == 20 + 60
    assert len(folders.unlabeled) == benchmark.NUM_POOL - 60
    truth = [benchmark.truth_of(path) for path in folders.file_paths["labeled"]]
    np.testing.assert_array_equal(labels, truth)
    # Each label is in one file, with the person and the time.
    files = [origin["file"] for origin in folders.origins.values()]
    assert [files.count(file) for file in dict.fromkeys(files)] == [20] * 3
    assert {o["by"] for o in folders.origins.values()} == {"Ada"}
    # Nothing was moved, and labels are not written over.
    assert len(list((tmp_path / "pool").iterdir())) == benchmark.NUM_POOL
    with pytest.raises(ValueError, match="must not be written over"):
        propose(model, folders, tmp_path / "round 0", 0)
