import pytest

from keras_fewlabels.loops.report.model_card import model_card

DATA = {
    "num_labeled": 40,
    "num_unlabeled": 1000,
    "num_test": 600,
    "num_classes": 2,
    "class_counts": [10, 30],
    "class_names": ["cat", "dog"],
    "image_shape": [32, 32, 3],
    "dtype": "uint8",
    "value_range": [0, 255],
    "from_logits": True,
}


def details(accuracy=0.7, num_images=600, **changes):
    result = {"accuracy": accuracy, "num_images": num_images, "loss": 1.0}
    phase = {
        **{"name": "noisy student", "generation": 1, "steps": 20},
        **{"seconds": 60, "validation": None, "test": result},
        "pseudo_labels": {"class_shares": [0.25, 0.75], "accuracy": 0.9},
    }
    return {
        **{"seed": 7, "seconds": 60.8, "data": DATA, "phases": [phase]},
        **{"settings": {}, "why": {}, "versions": {"keras": "3.15.1"}},
        **changes,
    }


def test_head_is_what_the_hub_reads():
    _, head, body = model_card(details()).split("---\n", 2)
    lines = head.splitlines()
    assert "library_name: keras" in lines
    assert "pipeline_tag: image-classification" in lines
    assert "      value: 0.7000" in lines
    assert body.strip().startswith("# 70.0 % on 600 test images")


def test_what_a_stranger_needs_to_know():
    card = model_card(details())
    for text in (
        "values from 0 to 255",
        "of shape (batch, 32, 32, 3)",
        "logits: `keras.ops.softmax(scores)` gives probabilities",
        "| 1 | dog | 30 | 75.0 % |",
        "| noisy student 1 | 20 | 1:00 | 70.0 % (66-74) of 600 |",
        "are pseudo-labels. Of these, 10.0 % are wrong",
        "Seed 7, 1:01, keras 3.15.1",
    ):
        assert text in card
    assert "interval is wide" not in card
    assert "learned afterwards" not in card


def test_recalls_stand_beside_the_classes():
    known = {"num_images": 20, "recall": 0.85, "interval": [0.64, 0.948]}
    none = {"num_images": 0, "recall": None, "interval": None}
    examined = {
        "split": "test",
        "recalls": [known, none],
        "balanced_accuracy": 0.85,
        "calibration": {
            "expected_calibration_error": 0.0432,
            "confidence": 0.75,
            "accuracy": 0.7,
            "bins": [{"num_images": 20}],
        },
    }
    card = model_card(details(examined=examined))
    assert "| 0 | cat | 10 | 25.0 % | 85.0 % (64-95) of 20 |" in card
    assert "| 1 | dog | 30 | 75.0 % | no images |" in card
    assert "calibration error 4.3 points" in card
    assert "is the share of its test images" in card
    # A report of an earlier version.
    old = model_card(details(examined={"split": "test"}))
    assert "recall" not in old and "calibration" not in old


def test_learned_validation_images_are_labelled_images():
    measured = {"accuracy": 0.5, "num_images": 202, "loss": 1.0}
    one = details(data={**DATA, "num_labeled": 1010, "num_validation": 0})
    one["phases"].insert(0, {**one["phases"][0], "validation": measured})
    card = model_card(one)
    assert "images: 1,010 labelled, 1,000 unlabelled, 600 test" in card
    assert "202 of the labelled images were validation images" in card


def test_few_images_and_no_truth_are_said():
    one = details(num_images=60)
    one["phases"][0]["pseudo_labels"]["accuracy"] = None
    card = model_card(one)
    assert "interval is wide" in card
    assert "It is not known how many of them are wrong." in card


@pytest.mark.parametrize("kept", ["student", "baseline"])
def test_the_figures_are_those_of_the_model_that_was_kept(kept):
    one = details()
    baseline = {**one["phases"][0], "name": "supervised", "generation": 0}
    result = {"accuracy": 0.8, "num_images": 600}
    verdict = {
        **{"difference": -0.1, "interval": [-0.15, -0.05], "num_images": 90},
        **{"is_better": False, "split": "validation", "kept": kept},
    }
    one |= {"baseline": {**baseline, "test": result}, "verdict": verdict}
    value = {"student": "0.7000", "baseline": "0.8000"}[kept]
    card = model_card(one)
    assert f"      value: {value}" in card
    # Only a student learned pseudo-labels.
    assert ("trained on labels alone" in card) is (kept == "baseline")
    assert ("| dog | 30 | 75.0 % |" in card) is (kept == "student")
    assert "The unlabelled images did harm: -10.0 points" in card


def test_nothing_was_measured():
    one = details()
    one["phases"][0]["test"] = None
    one["data"] = {**DATA, "num_test": None, "class_names": None}
    card = model_card(one)
    assert "model-index" not in card
    assert "There were no test images." in card
    assert "| 1 | 1 | 30 | 75.0 % |" in card


def test_a_last_phase_of_labels_alone_hides_no_pseudo_labels():
    one = details()
    last = {**one["phases"][0], "name": "high resolution"}
    one["phases"].append({**last, "pseudo_labels": None})
    card = model_card(one)
    assert "Of these, 10.0 % are wrong" in card
    assert "| dog | 30 | 75.0 % |" in card
    one["phases"][0]["pseudo_labels"] = None
    assert "trained on labels alone" in model_card(one)


def test_names_are_no_mark_up():
    names = ["<script>alert(1)</script>", "a|b\n![](http://x.example/y.png)"]
    card = model_card(details(data={**DATA, "class_names": names}))
    assert "<script" not in card and "![](" not in card
    assert "http://x" not in card
    (row,) = [line for line in card.splitlines() if "x.example" in line]
    assert row.count("|") == 5
    heads, rule = card.splitlines()[: card.splitlines().index(row)][-3:-1]
    assert heads.startswith("| class | name |") and rule == "|---|---|---|---|"
