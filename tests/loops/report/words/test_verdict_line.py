from keras_fewlabels.loops.report.words.verdict_line import verdict_line

VERDICT = {
    "difference": 0.052,
    "interval": [0.021, 0.083],
    "is_better": True,
    "num_images": 1500,
    "split": "validation",
    "kept": "student",
}


def test_verdict_line():
    assert verdict_line({}) == verdict_line({"verdict": None}) == ""
    baseline, phase = {"name": "supervised"}, {"name": "noisy student"}
    details = {"verdict": None, "baseline": baseline, "phases": [phase]}
    assert verdict_line(details).startswith("Nothing tells whether the")
    for each in baseline, phase:
        each["test"] = {"accuracy": 0.5, "num_images": 10}
    assert verdict_line(details) == ""
    assert verdict_line({"verdict": VERDICT}) == (
        "The unlabelled images helped: +5.2 points over labels alone (+2.1 to "
        "+8.3) on the same 1,500 validation images."
    )
    unknown = {**VERDICT, "is_better": None, "interval": [-0.1, 0.2]}
    assert "may have helped or not: +5.2 points" in verdict_line(
        {"verdict": unknown}
    )
    worse = {"verdict": {**VERDICT, "is_better": False, "kept": "baseline"}}
    assert verdict_line(worse).startswith("The unlabelled images did harm")
    assert verdict_line(worse).endswith("trained on labels alone was kept.")
    worse["verdict"] |= {"kept": "student", "split": "test"}
    assert "for no test image may choose a model: pass" in verdict_line(worse)


def test_a_linear_probe_that_is_better_is_said_first():
    probe = {"accuracy": 0.609, "accuracy_of_kept": 0.317, "is_better": True}
    verdict = {**VERDICT, "linear_probe": probe}
    line = verdict_line({"verdict": verdict})
    assert line.startswith("A linear classifier on the features of the model")
    assert "better: 60.9 %, where the returned model has 31.7 %." in line
    assert "helped" not in line
    assert "+5.2 points over labels alone (+2.1 to +8.3)" in line
    balanced = {**verdict, "figure": "balanced_accuracy"}
    line = verdict_line({"verdict": balanced})
    assert "is better: balanced accuracy 60.9 %, where" in line
    assert "+5.2 points of balanced accuracy over labels alone" in line
    data = {"several_labels": True}
    several = verdict_line({"verdict": verdict, "data": data})
    assert "is better: mAP 60.9 %, where" in several
    assert "+5.2 points of mAP over labels alone" in several
    verdict["linear_probe"] = {**probe, "is_better": False}
    line = verdict_line({"verdict": verdict})
    assert line == verdict_line({"verdict": VERDICT})


def test_verdict_names_the_supervised_phase_and_that_it_was_kept():
    verdict = {
        "difference": -0.1,
        "interval": [-0.15, -0.05],
        "is_better": False,
        "num_images": 200,
        "split": "validation",
        "reference": "supervised phase",
        "kept": "supervised phase",
    }
    line = verdict_line({"verdict": verdict})
    assert "did harm: -10.0 points over the supervised phase" in line
    assert line.endswith("The model of the supervised phase was kept.")
