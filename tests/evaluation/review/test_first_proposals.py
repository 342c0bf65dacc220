import json

import numpy as np
import pytest

from keras_fewlabels.data import read_new_labels
from keras_fewlabels.data.review.image_table import image_rows
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.evaluation.review.first_proposals import FirstProposals

IMAGES = np.arange(5 * 4, dtype="uint8").reshape(5, 2, 2, 1)
CHOSEN = np.array([3, 0])


@pytest.fixture
def proposals():
    return FirstProposals(
        indices=CHOSEN,
        gain=np.array([0.5, 0.25]),
        distance=np.array([1.0, 0.75]),
        images=IMAGES[CHOSEN],
        rows=image_rows(image_source(IMAGES), CHOSEN, IMAGES[CHOSEN]),
        class_names=["cat", "dog"],
    )


def test_table_and_figure(proposals):
    assert [line.split() for line in str(proposals).splitlines()[1:]] == [
        ["1", "3", "50.0", "%", "1.00"],
        ["2", "0", "25.0", "%", "0.75"],
    ]
    texts = [text.get_text() for text in proposals.figure().axes[0].texts]
    assert texts[:2] == ["#1", "#2"]


def test_saved_files_are_filled_in_and_read(proposals, tmp_path):
    proposals.save(tmp_path)
    found = json.loads((tmp_path / "first_to_label.json").read_text())
    assert found == proposals.to_dict()
    assert "Images to label first" in (tmp_path / "index.html").read_text()
    assert (tmp_path / "first_to_label.png").read_bytes()[1:4] == b"PNG"
    file = tmp_path / "to_label.csv"
    file.write_text(file.read_text().replace("\n2,,", "\n2,dog,"))
    names = proposals.class_names
    indices, labels = read_new_labels(IMAGES, file, class_names=names)
    assert (indices.tolist(), labels.tolist()) == ([0], [1])
    with pytest.raises(ValueError, match="2 rows, 1 of them"):
        proposals.save(tmp_path)
