"""The page of a report in a real browser."""

import numpy as np
import pytest

from browser import browser
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.foundation import embedded_image
from keras_fewlabels.loops.noisy_student.measure import examine
from keras_fewlabels.loops.report import FitReport
from keras_fewlabels.loops.report.run_files import RunFiles

RNG = np.random.default_rng(0)
NAMES = ["daisy", "</script><b>rose", '=1+"tulip"']
IMAGES = RNG.integers(0, 256, (60, 8, 8, 3)).astype("uint8")
LABELS = RNG.integers(0, 3, 60)
SCORES = RNG.dirichlet([1, 1, 1], 60)
RESULT = {"accuracy": 0.5, "num_images": 60, "loss": 1.0}
FOREIGN = [{"index": 7, "score": 3.0, "weight": 0.01}]


def phase(name, seconds, accuracy):
    return {
        **{"name": name, "generation": 0, "steps": 5, "seconds": 9},
        "seconds_since_start": seconds,
        "test": {**RESULT, "accuracy": accuracy},
        "history": {"loss": [2.0, 0.5], "val_loss": [3.0, 0.75]},
    }


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A browser with the page of a report."""
    folder = tmp_path_factory.mktemp("report")
    phases = [phase("linear probe", 10, 0.25), phase("fine-tuning", 90, 0.75)]
    phases[0]["pool"] = {
        **{"num_images": 60, "num_foreign": 1, "foreign_share": None},
        "most_foreign": FOREIGN,
    }
    details = {
        **{"seed": 0, "seconds": 90, "settings": {}, "why": {}, "versions": {}},
        "data": {
            **{"num_classes": 3, "class_names": NAMES, "num_labeled": 9},
            **{"image_shape": [8, 8, 3], "value_range": [0, 255]},
            "dtype": "uint8",
            "class_counts": [3, 3, 3],
        },
        "phases": phases,
        "examined": {"split": "test", **examine(SCORES, LABELS)},
    }
    source = image_source(IMAGES)
    files = RunFiles({}, IMAGES[:0], None, source, examined=source)
    files.__dict__["pseudo_labels"] = None
    FitReport(details, files).save(folder)
    with browser() as driver:
        driver.get((folder / "index.html").as_uri())
        yield driver


def button_of(page, true, predicted):
    return page.find_element(
        "css selector",
        f"[data-true='{true}'][data-predicted='{predicted}'] button",
    )


def texts(page, selector):
    found = page.find_elements("css selector", selector)
    return [each.text for each in found]


def test_a_cell_shows_its_images_and_only_they_by_confidence(page):
    predicted = SCORES.argmax(axis=1)
    for true, guess in ((0, 1), (2, 2)):
        button_of(page, true, guess).click()
        inside = np.flatnonzero((true == LABELS) & (predicted == guess))
        surest = inside[np.argsort(-SCORES.max(axis=1)[inside])]
        title = page.find_element("id", "cell-name").text
        assert title.startswith(f"{len(inside)} images of {NAMES[true]}, pred")
        for value, order in (("-1", surest), ("1", surest[::-1])):
            page.execute_script(
                "const sort = document.getElementById('sort');"
                "sort.value = arguments[0]; sort.onchange();",
                value,
            )
            shown = page.find_elements("css selector", "#cell-images img")
            assert [each.get_attribute("src") for each in shown] == [
                embedded_image(IMAGES[index], (0, 255)) for index in order
            ]
    page.find_element("id", "close").click()
    assert not page.find_element("id", "cell").is_displayed()


def test_cells_have_names_and_arrow_keys(page):
    first = button_of(page, 0, 0)
    count = first.text
    assert (
        first.accessible_name == f"{count} images of daisy, predicted rightly"
    )
    other = button_of(page, 0, 1)
    assert other.accessible_name.endswith(f"of daisy, predicted as {NAMES[1]}")
    first.send_keys("\ue014")  # Arrow right
    assert page.switch_to.active_element == other
    other.send_keys("\ue015")  # Arrow down
    assert page.switch_to.active_element == button_of(page, 1, 1)
    page.switch_to.active_element.send_keys("\n")
    assert page.find_element("id", "cell").is_displayed()


def test_curves_tell_their_values(page):
    over_time, loss = page.find_elements("css selector", ".chart")[:2]
    slider = over_time.find_element("css selector", "svg[role=slider]")
    slider.send_keys("\ue011")  # Home
    said = slider.get_attribute("aria-valuetext")
    assert said.startswith("linear probe, after 0:10; test 25.0 % (16-37)")
    slider.send_keys("\ue014")
    assert "fine-tuning, after 1:30" in over_time.text
    assert "test: 75.0 % (63-84)" in over_time.text
    # The pointer finds the nearest stop.
    page.execute_script(
        "const at = arguments[0].getBoundingClientRect();"
        "arguments[0].dispatchEvent(new PointerEvent('pointermove', "
        "{clientX: at.left + 60, clientY: at.top + 9}));",
        loss.find_element("css selector", "svg[role=slider]"),
    )
    assert "epoch 1" in loss.text
    assert "linear probe, validation: 3" in loss.text
    # Their pictures are for paper.
    assert page.execute_script(
        "return [...document.querySelectorAll('img.drawn')].every("
        "(each) => !each.offsetParent)"
    )


def test_classes_are_found_by_a_part_of_their_name(page):
    search = page.find_element("id", "search")
    search.send_keys("ROSE")
    for selector in (".matrix tbody tr", ".recalls tbody tr"):
        rows = page.find_elements("css selector", selector)
        assert [row.is_displayed() for row in rows] == [False, True, False]
    assert texts(page, ".classes > :nth-child(odd)") == ["", NAMES[1], ""]
    search.send_keys("!")
    assert "None has" in page.find_element("id", "found").text
    search.send_keys("\ue003" * 5)
    assert len("".join(texts(page, ".matrix tbody th"))) > 20


def test_foreign_images_are_shown_and_nothing_was_refused(page):
    heading = "//h2[contains(., 'most foreign')]"
    foreign = page.find_element("xpath", f"{heading}/..//img")
    assert foreign.get_attribute("src") == embedded_image(IMAGES[7], (0, 255))
    assert page.find_elements("css selector", "section b") == []
    assert page.get_log("browser") == []
