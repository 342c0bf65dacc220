from keras_fewlabels.loops.report.rows import (
    finding_notes,
    finding_rows,
    phase_rows,
    pool_rows,
    pseudo_label_rows,
    recall_rows,
    waterfall_rows,
)


def on(num_images, accuracy):
    return {"accuracy": accuracy, "loss": 1.0, "num_images": num_images}


def phase(name, generation, steps, **more):
    known = {"name": name, "generation": generation, "steps": steps}
    return {**known, "seconds": 60 * steps, **more}


def test_phases_and_columns_with_data_only():
    phases = [
        phase("supervised", 0, 2, test=on(9000, 0.5), validation=None),
        phase("noisy student", 1, 3000, test=None),
    ]
    assert phase_rows({"phases": phases}) == [
        ["phase", "steps", "time", "test accuracy"],
        ["supervised", "2", "2:00", "50.0 % (49-51) of 9,000"],
        ["noisy student 1", "3,000", "50:00:00", ""],
    ]


def test_gain_is_that_of_the_last_phase_over_the_baseline():
    both = {"validation": on(50, 0.75), "test": on(90, 0.7)}
    details = {
        "phases": [phase("a", 0, 1, **both), phase("b", 1, 2, **both)],
        "baseline": phase(
            "c", 0, 3, validation=on(50, 0.625), test=on(90, 0.8)
        ),
    }
    rows = phase_rows(details)
    assert rows[3:] == [
        [
            *("baseline", "3", "3:00"),
            *("62.5 % (48-74) of 50", "80.0 % (71-87) of 90"),
        ],
        ["gain in points", "", "", "+12.5", "-10.0"],
    ]
    details["phases"][-1]["test"] = None
    assert phase_rows(details)[4][-2:] == ["+12.5", ""]


def test_precisions_stand_behind_the_accuracies():
    def ranked(num_images, accuracy, precision):
        figures = on(num_images, accuracy)
        return {
            **figures,
            "deviation": 0.1,
            "mean_average_precision": precision,
        }

    hidden = {"cross_validation": ranked(20, 0.75, 0.5)}
    details = {
        "phases": [
            phase("linear probe", 0, 1, test=ranked(90, 0.8, 0.6), **hidden),
            phase("fine-tuning", 1, 2, test=ranked(90, 0.9, 0.8)),
        ],
        "baseline": phase("labels", 0, 2, test=ranked(90, 0.8, 0.7)),
    }
    heads, probe, tuned, baseline, gain = phase_rows(details)
    assert heads[3:] == [
        *("cross-validation", "test accuracy"),
        *("cross-validation mAP", "test mAP"),
    ]
    assert probe[5:] == ["50.0 %", "60.0 %"]
    assert tuned[3] == "" and tuned[5:] == ["", "80.0 %"]
    assert baseline[5:] == ["", "70.0 %"]
    assert gain[3:] == ["", "+10.0", "", "+10.0"]


def test_linear_probe_is_the_last_row():
    probe = {"name": "linear probe", "seconds": 3, "test": on(90, 0.7)}
    phases = [phase("supervised", 0, 1, test=on(90, 0.6))]
    rows = phase_rows({"phases": phases, "linear_probe": probe})
    assert rows[-1] == ["linear probe", "", "0:03", "70.0 % (60-78) of 90"]


def test_no_gain_without_a_measure_in_common():
    # The students learned the validation images too.
    last = phase("noisy student", 1, 9)
    rows = phase_rows(
        {
            "phases": [phase("supervised", 0, 5, validation=on(8, 0.5)), last],
            "baseline": phase("supervised, same budget", 0, 14),
        }
    )
    assert [row[0] for row in rows[1:]] == [
        "supervised",
        "noisy student 1",
        "baseline",
    ]


def test_waterfall_gains_are_over_the_step_before():
    steps = [
        {"name": "labels only", "validation": on(50, 0.5)},
        {"name": "+ images", "validation": on(50, 0.75), "test": on(90, 0.7)},
        {"name": "+ noise", "validation": on(50, 0.5), "test": on(90, 0.6)},
    ]
    # The first has no test accuracy, so gains are those in validation.
    rows = waterfall_rows({"waterfall": steps})
    assert rows[0][-1] == "gain in points"
    assert [row[-1] for row in rows[1:]] == ["", "+25.0", "-25.0"]
    assert [row[2] for row in rows[1:]] == [
        "",
        "70.0 % (60-78) of 90",
        "60.0 % (50-70) of 90",
    ]
    steps[0]["test"] = on(90, 0.4)
    rows = waterfall_rows({"waterfall": steps})
    assert [row[-1] for row in rows[1:]] == ["", "+30.0", "-10.0"]


def ranked(precision):
    return {**on(50, 0.9), "mean_average_precision": precision}


def test_the_waterfall_of_several_labels_is_of_their_ranking():
    steps = [
        {"name": "labels only", "validation": ranked(0.5)},
        {"name": "+ images", "validation": ranked(0.75)},
    ]
    details = {"waterfall": steps, "data": {"several_labels": True}}
    assert waterfall_rows(details) == [
        ["step", "validation mAP", "gain in points"],
        ["labels only", "50.0 %", ""],
        ["+ images", "75.0 %", "+25.0"],
    ]


def test_phases_of_several_labels_have_decisions_and_ranking():
    phases = [phase("a", 0, 1, cross_validation=ranked(0.5), test=ranked(0.6))]
    details = {"phases": phases, "baseline": phase("b", 0, 1, test=ranked(0.5))}
    heads, row, _, gains = phase_rows(details)
    assert heads[3:] == [
        *("cross-validation", "test accuracy"),
        *("cross-validation mAP", "test mAP"),
    ]
    assert row[5:] == ["50.0 %", "60.0 %"]
    assert gains[3:] == ["", "+0.0", "", "+10.0"]


def test_no_steps_no_rows():
    assert waterfall_rows({"waterfall": []}) == []
    assert waterfall_rows({}) == []
    # Steps without an accuracy leave a column of names.
    assert waterfall_rows({"waterfall": [{"name": "labels only"}]}) == []


def test_pseudo_labels_of_the_phases_that_had_some():
    labels = {"mask_ratio": 0.6, "confidence": 0.8, "accuracy": None}
    phases = [phase("supervised", 0, 1, pseudo_labels=None)]
    assert pseudo_label_rows({"phases": phases}) == []
    phases.append(phase("student", 2, 1, pseudo_labels=labels))
    assert pseudo_label_rows({"phases": phases}) == [
        ["phase", "share used", "confidence"],
        ["student 2", "60.0 %", "80.0 %"],
    ]


def test_recall_of_each_class_with_its_interval():
    known = {"num_images": 20, "recall": 0.85, "interval": [0.64, 0.948]}
    none = {"num_images": 0, "recall": None, "interval": None}
    details = {"data": {}, "examined": {"recalls": [known, none]}}
    assert recall_rows(details) == [
        ["class", "recall"],
        [0, "85.0 % (64-95) of 20"],
        [1, "no images"],
    ]
    details["data"]["class_names"] = ["cat", "dog"]
    assert [row[0] for row in recall_rows(details)[1:]] == ["cat", "dog"]
    details["data"]["several_labels"] = True
    assert recall_rows(details)[0] == ["label", "recall"]
    # A report of an earlier version has none.
    names = {"class_names": ["cat", "dog"]}
    assert recall_rows({"data": names, "examined": {"split": "test"}}) == []
    assert recall_rows({"data": names, "examined": None}) == []


def test_findings_name_some_of_the_files():
    files = [{"part": "labeled", "file": f"{n}.jpg"} for n in range(4)]
    kind = {"kind": "damaged", "meaning": "cannot be decoded"}
    findings = {
        "skipped": [{**kind, "count": 4, "files": files}],
        "used": [{**kind, "kind": "grey", "count": 1, "files": files[:1]}],
    }
    _, damaged, grey = finding_rows({"findings": findings})
    names = "labeled/0.jpg, labeled/1.jpg, labeled/2.jpg, ..."
    assert damaged == ["skipped: damaged", "cannot be decoded", "4", names]
    assert grey[0] == "used: grey" and grey[-1] == "labeled/0.jpg"
    assert finding_rows({"findings": None}) == finding_rows({}) == []


def test_files_that_do_not_stand_out_were_looked_at():
    folders = {"test": {"num_files": 500}, "labeled": {"num_files": 1000}}
    findings = {"folders": folders, "notes": ["few"], "skipped": [], "used": []}
    looked_at = "All 1,500 files were checked before the training"
    line, note = finding_notes({"findings": findings})
    assert (line, note) == (f"{looked_at}, and none stood out.", "few")
    line, _ = finding_notes({"findings": {**findings, "used": [{}]}})
    assert line == f"{looked_at}."
    assert finding_notes({"findings": None}) == finding_notes({}) == []


def test_shares_of_the_pool_stand_beside_those_of_the_labels():
    pool = {
        "class_shares": [0.2, 0.5, 0.3],
        "class_intervals": [[0.1, 0.25], [0.45, 0.6], [0.2, 0.4]],
    }
    data = {"class_counts": [4, 3, 3], "class_names": ["a", "b", "c"]}
    details = {"phases": [{}, {"pool": pool}], "data": data}
    assert pool_rows(details) == [
        ["class", "of the labels", "of the unlabelled images", ""],
        ["a", "40.0 %", "20.0 % (10-25)", "less"],
        ["b", "30.0 %", "50.0 % (45-60)", "more"],
        ["c", "30.0 %", "30.0 % (20-40)", ""],
    ]
    unknown = {**pool, "class_shares": None}
    assert pool_rows({**details, "phases": [{"pool": unknown}]}) == []
    assert pool_rows({**details, "phases": [{}]}) == []
