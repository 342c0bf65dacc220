import csv
import json
import re
import types

import numpy as np

from keras_fewlabels.data.copies import Copy
from keras_fewlabels.data.review import image_rows
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.evaluation.pool.pool_page import save_pool_page
from keras_fewlabels.foundation import embedded_image

IMAGES = np.arange(6 * 4, dtype="uint8").reshape(6, 2, 2, 1)
# Two most foreign images, one of them a copy; a copy; and one more.
ORDER = np.array([3, 0, 4, 5])


class Examination(types.SimpleNamespace):
    def __str__(self):
        return "half of <them> are foreign"


def test_the_page_has_foreign_images_then_pairs_and_all_rows(tmp_path):
    examination = Examination(
        scores=np.array([1.0, -0.5, -1.0, 2.0, 0.0, 0.5]),
        weights=np.array([0.625, 1.0, 1.0, 0.01, 0.75, 0.4]),
        is_foreign=np.array([False, False, False, True, False, True]),
        leaks=np.array([4]),
        copies=[
            Copy("unlabeled", 0, "labeled", 2, 1.0),
            Copy("unlabeled", 4, "test", 7, 0.95),
            Copy("labeled", 4, "test", 7, 0.95),
        ],
        images=IMAGES[ORDER[:2]],
        rows=image_rows(image_source(IMAGES), ORDER, IMAGES[ORDER]),
        pairs={
            4: (IMAGES[4], IMAGES[1], "/a/<b>.png"),
            0: (IMAGES[0], IMAGES[2], ""),
        },
    )
    save_pool_page(tmp_path, examination, (0, 255))
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "half of &lt;them&gt; are foreign" in page
    data = json.loads(re.search('id="data">(.*?)</script>', page)[1])
    items = data["items"]
    assert [item["src"] for item in items] == [
        embedded_image(IMAGES[index], (0, 255)) for index in (3, 0, 4)
    ]
    assert [item["group"] for item in items] == [
        *("foreign", "copy of labeled", "copy of test"),
    ]
    assert [item["confidence"] for item in items] == [0.01, 0.625, 0.75]
    assert "original" not in items[0]
    assert items[2]["original"] == {
        "src": embedded_image(IMAGES[1], (0, 255)),
        "name": "the test image: <b>.png",
    }
    assert items[1]["original"]["name"] == "the labeled image: image 2"
    with open(tmp_path / "veto.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # The page writes the same rows as the file has.
    assert [row["index"] for row in rows] == ["3", "0", "4", "5"]
    assert [row["suggestion"] for row in rows] == ["yes", "no", "yes", "yes"]
    assert data["rows"] == [
        [value for name, value in row.items() if name != "veto"] for row in rows
    ]
