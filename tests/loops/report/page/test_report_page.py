import base64
import copy
import hashlib
import html.parser
import json
import re
import sys

import pytest

from keras_fewlabels.loops.report.page import report_page

PNG = b"\x89PNG some picture"
RESULT = {"accuracy": 0.61, "loss": 1.1, "num_images": 500}
PHASE = {"generation": 0, "steps": 20, "seconds": 60, "validation": RESULT}
MINIMAL = {
    "seed": 7,
    "seconds": 61,
    "data": {"num_labeled": 40, "num_classes": 2},
    "settings": {},
    "why": {},
    "phases": [{"name": "supervised", **PHASE}],
    "versions": {"keras": "3.15.1"},
}
FULL = {
    **MINIMAL,
    "data": {
        **MINIMAL["data"],
        "class_names": ["<script>alert(1)</script>", 'a "dog" & a cat'],
        "class_counts": [10, 30],
        "image_shape": [32, 32, 3],
        "dtype": "uint8",
        "value_range": [0, 255],
    },
    "settings": {"batch_size": 64, "rate": None},
    "why": {"batch_size": "fewer than 65 & more than 63"},
    "findings": {
        "folders": {"labeled": {"num_files": 2}},
        "notes": ["labeled has few images of cats"],
        "used": [],
        "skipped": [
            {
                **{"kind": "empty", "meaning": "0 bytes", "count": 1},
                "files": [{"part": "labeled", "file": "<b>.jpg"}],
            }
        ],
    },
    "examined": {
        **{"split": "test", "confusion": [[1, 0], [0, 1]]},
        "balanced_accuracy": 0.85,
        "recalls": [
            {"num_images": 20, "recall": 0.85, "interval": [0.64, 0.948]},
            {"num_images": 0, "recall": None, "interval": None},
        ],
        "calibration": {
            "expected_calibration_error": 0.0432,
            "confidence": 0.75,
            "accuracy": 0.7,
            "bins": [{"num_images": 20, "num_right": 14, "confidence": 0.75}],
        },
    },
    "verdict": {
        **{"difference": 0.0, "interval": [-0.01, 0.02], "num_images": 500},
        **{"is_better": None, "split": "validation", "kept": "student"},
    },
    "phases": [
        *MINIMAL["phases"],
        {
            **{**PHASE, "name": "noisy student", "generation": 1},
            "pseudo_labels": {
                "mask_ratio": 0.625,
                "confidence": 0.875,
                "class_shares": [0.5, 0.5],
                "accuracy": None,
            },
        },
    ],
    "baseline": {"name": "supervised, same budget", **PHASE},
    "waterfall": [{"name": "labels only", "validation": RESULT}],
}
NAMES = [
    *("accuracy_over_time", "comparison", "waterfall", "learning_curves"),
    *("pseudo_labels", "reliability", "confusion_matrix", "mistakes"),
]


class Page(html.parser.HTMLParser):
    """The content of a page, read by a parser of the standard library."""

    VOID = {"meta", "img", "input"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] not in ("style", "script"):
            self.texts.append((self.open[-1], data.strip()))

    def of(self, tag):
        return [text for opened, text in self.texts if opened == tag]


@pytest.fixture
def full():
    return Page(report_page(FULL, dict.fromkeys(NAMES, PNG)))


def test_everything_is_on_the_page(full):
    headline = "61.0 % on 500 validation images; labels alone 61.0 %"
    assert full.of("h1") == full.of("title") == [headline]
    assert full.of("h2") == [
        "Phases",
        "Gain of each step",
        "Learning curves",
        "Pseudo-labels",
        "Confidence on test images",
        "Recall of each class on test images",
        "Mistakes on test images",
        "Share of each class",
        "Settings",
        "Data",
        "Run",
    ]
    assert "Baseline: supervised, same budget" in full.of("p")
    cells = full.of("td")
    (verdict,) = (text for text in full.of("p") if "helped or not" in text)
    assert "+0.0 points over labels alone (-1.0 to +2.0)" in verdict
    assert full.of("h3") == [
        "The mistakes with the highest confidence",
        "Files that stood out",
    ]
    assert "labeled has few images of cats" in full.of("p")
    assert "labeled/<b>.jpg" in cells
    cells = full.of("td")
    for text in (
        "61.0 % (57-65) of 500",
        "+0.0",
        "62.5 %",
        "87.5 %",
        "85.0 % (64-95) of 20",
        "no images",
        "64",
        "None",
    ):
        assert text in cells
    assert "fewer than 65 & more than 63" in cells
    facts = dict(zip(full.of("dt"), full.of("dd"), strict=True))
    assert facts == {
        "labelled images": "40",
        "classes": "2",
        "size of an image": "32 x 32 x 3, uint8",
        "value range": "0 to 255",
        "seed": "7",
        "time": "1:01",
        "keras": "3.15.1",
    }


def test_bars_of_classes_are_in_proportion(full):
    bars = [
        float(attrs["width"].rstrip("%"))
        for tag, attrs in full.tags
        if tag == "svg"
    ]
    # A quarter and three quarters of the labels, halves of the pseudo-labels.
    assert bars == pytest.approx([70 / 3, 140 / 3, 70, 140 / 3], abs=0.1)
    assert full.of("span")[-4:] == ["25.0 %", "50.0 %", "75.0 %", "50.0 %"]


def test_confidence_is_said_and_that_validation_images_flatter(full):
    (line,) = (text for text in full.of("p") if "calibration" in text)
    assert line.startswith("Balanced accuracy 85.0 %, mean confidence 75.0 %")
    assert not any("slightly too good" in text for text in full.of("p"))
    examined = {**FULL["examined"], "split": "validation"}
    page = Page(report_page({**FULL, "examined": examined}, {}))
    assert any("slightly too good" in text for text in page.of("p"))
    assert "Recall of each class on validation images" in page.of("h2")


def test_without_images_to_measure_the_labels_are_examined():
    crossed = {"split": "cross-validation", "name": "self-training"}
    examined = {**FULL["examined"], **crossed}
    page = Page(report_page({**FULL, "examined": examined}, {}))
    on = "labels, by cross-validation (self-training)"
    assert f"Mistakes on {on}" in page.of("h2")
    assert any(f"on 20 {on}." in text for text in page.of("p"))
    assert any("neither validation nor test" in text for text in page.of("p"))


def test_many_classes_are_folded():
    def is_open(num_classes):
        data = {**MINIMAL["data"], "class_counts": [1] * num_classes}
        recall = {"num_images": 1, "recall": 1.0, "interval": [0.2, 1.0]}
        examined = {"split": "test", "recalls": [recall] * num_classes}
        page = report_page({**MINIMAL, "data": data, "examined": examined}, {})
        recalls, shares = (
            "open" in attrs
            for tag, attrs in Page(page).tags
            if tag == "details"
        )
        assert recalls == shares
        return shares

    assert is_open(30)
    assert not is_open(31)


def test_nothing_comes_from_a_network_and_only_its_script_runs(full):
    assert not {tag for tag, _ in full.tags} & {"link", "iframe"}
    scripts = [attrs for tag, attrs in full.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    for _, attrs in full.tags:
        assert not {"href", "srcset", "style"} & attrs.keys()
        assert not any(name.startswith("on") for name in attrs)
        assert attrs.get("src", "data:").startswith("data:")
    page = report_page(FULL, {})
    # The name of a namespace is no address.
    assert page.count("http:") == page.count("http://www.w3.org/2000/svg")
    assert "https:" not in page
    assert "url(" not in page and "@import" not in page
    # Nothing else in the page is as the policy says.
    (policy,) = (a["content"] for _, a in full.tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for kind, text in re.findall(
        r"<(style|script)>(.*?)</(?:style|script)>", page, re.S
    ):
        digest = hashlib.sha256(text.encode()).digest()
        digest = base64.b64encode(digest).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_pictures_are_in_the_page_and_described():
    pictures = {name: PNG + name.encode() for name in NAMES}
    page = Page(report_page(FULL, pictures))
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    # The confusion matrix of two classes is a table.
    shown = [name for name in NAMES if name != "confusion_matrix"]
    assert [attrs["class"] for attrs in images] == shown
    for attrs in images:
        head, _, content = attrs["src"].partition(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(content) == pictures[attrs["class"]]
        assert len(attrs["alt"]) > 20


def test_a_matrix_is_a_table_and_of_many_classes_the_first_mistakes_are():
    page = Page(report_page(FULL, {}))
    cells = [attrs for tag, attrs in page.tags if "data-true" in attrs]
    shades = [attrs["class"] for attrs in cells]
    assert shades == ["shade10", "shade0", "shade0", "shade10"]
    confusion = [[0] * 26 for _ in range(26)]
    confusion[3][3], confusion[3][5], confusion[7][1] = 9, 2, 4
    names = [f"class <{number}>" for number in range(26)]
    details = {
        **FULL,
        "data": {**MINIMAL["data"], "class_names": names},
        "examined": {"split": "test", "confusion": confusion},
        "phases": MINIMAL["phases"],
    }
    page = Page(report_page(details, {"confusion_matrix": PNG}))
    assert [a["class"] for t, a in page.tags if t == "img"] == [
        "confusion_matrix"
    ]
    rows = [a["data-name"] for t, a in page.tags if t == "tr" and a]
    assert rows == ["class <7>, class <1>", "class <3>, class <5>"]


def test_mistakes_and_foreign_images_are_there_without_a_script():
    rows = [
        {"index": 4, "true": 0, "predicted": 1, "confidence": 0.75},
        {"index": 2, "true": 1, "predicted": 1, "confidence": 0.5},
    ]
    foreign = [{"index": 9, "score": 2.0, "weight": 0.02}]
    phases = [{**FULL["phases"][0], "pool": None}, FULL["phases"][1]]
    phases[0]["pool"] = {
        **{"most_foreign": foreign, "foreign_share": None},
        **{"num_foreign": 1, "num_images": 10},
    }
    thumbnails = {
        "examples": [
            {"src": f"data:,{n}", "name": f"<{n}>.png", "href": "file:///x"}
            for n in range(2)
        ],
        "foreign": [{"src": "data:,9", "name": "image 9", "href": ""}],
    }
    details = {
        **FULL,
        "phases": phases,
        "examined": {**FULL["examined"], "examples": rows},
    }
    text = report_page(details, {"mistakes": PNG}, thumbnails)
    page = Page(text)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert images == [
        {"src": "data:,0", "alt": "<0>.png"},
        {"src": "data:,9", "alt": "image 9"},
    ]
    assert page.of("figcaption") == [
        '<script>alert(1)</script>, wrong: a "dog" & a cat, 75 %',
        "2 % like the labels",
    ]
    (data,) = re.findall(r'id="data">(.*?)</script>', text)
    examples = json.loads(data)["examples"]
    assert [each["src"] for each in examples] == ["data:,0", "data:,1"]
    assert [each["predicted"] for each in examples] == [1, 1]


def test_a_model_without_mistakes():
    page = Page(report_page(FULL, {}))
    assert "There are no mistakes." in page.of("p")
    assert "The mistakes with the highest confidence" not in page.of("h3")


def test_names_are_escaped(full):
    texts = [text for _, text in full.texts]
    assert "<script>alert(1)</script>" in texts
    assert 'a "dog" & a cat' in texts


def test_what_cannot_be_seen_or_encoded_is_an_escape():
    names = ["two\nlines\u202e", "caf\udce9"]
    data = {**FULL["data"], "class_names": names}
    page = report_page({**FULL, "data": data}, {})
    page.encode()
    texts = [text for _, text in Page(page).texts]
    assert r"two\nlines\u202e" in texts and r"caf\xe9" in texts


def test_what_is_absent_leaves_no_heading_and_no_table():
    page = Page(report_page(MINIMAL, {}))
    assert page.of("h2") == ["Phases", "Data", "Run"]
    assert page.of("th") == [
        *("phase", "steps", "time", "validation accuracy"),
        "supervised",
    ]
    assert not any(tag == "img" for tag, _ in page.tags)
    assert page.of("p") == ["Report of a fit by keras_fewlabels"]


def test_details_stay_as_they_are():
    before = copy.deepcopy(FULL)
    report_page(FULL, {})
    assert before == FULL


def test_without_jinja2(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r'pip install "keras-fewlabels\[rep'):
        report_page(MINIMAL, {})


def test_the_pool_has_a_section_of_its_own():
    pool = {
        "num_images": 900,
        "num_foreign": 0,
        "foreign_share": 0.0,
        "foreign_interval": [0.0, 0.01],
        "class_shares": [0.75, 0.25],
        "class_intervals": [[0.5, 0.875], [0.125, 0.5]],
    }
    phases = [{**FULL["phases"][0], "pool": pool}, *FULL["phases"][1:]]
    page = Page(report_page({**FULL, "phases": phases}, {}))
    assert "What the unlabelled images seem to show" in page.of("h2")
    assert any("None of 900 unlabelled" in text for text in page.of("p"))
    assert "75.0 % (50-88)" in page.of("td")
