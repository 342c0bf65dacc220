import json

import pytest

from keras_fewlabels.evaluation import LabelPrice

OFFER = {
    "extra": 40, "error": 0.05, "gain": 0.05, "low": -0.02, "high": 0.09,
    "verdict": "cannot tell: the gain may be none",
}  # fmt: skip


@pytest.fixture
def price():
    return LabelPrice(
        num_labels=40,
        sizes=[10, 20, 40],
        errors=[0.4, 0.25, 0.1],
        curve=[0.4, 0.2, 0.1],
        offers=[OFFER],
        class_offers=[{"class": 1, **OFFER}],
        confidence=0.95,
        measured_on="100 validation images",
        class_names=("cat", "dog"),
    )


def test_table(price):
    offer = "+ 40 5.0 % 5.0 % (-2.0 to 9.0) 0.125 % " + OFFER["verdict"]
    expected = f"""
        labels error
        10 40.0 %
        20 25.0 %
        40 10.0 %

        labels error gain per label verdict
        {offer}

        class labels error gain per label verdict
        dog {offer}

        errors on 100 validation images; 95 % intervals"""
    assert [line.split() for line in str(price).splitlines()] == [
        line.split() for line in expected.splitlines()[1:]
    ]


def test_dict_survives_json_and_is_saved_with_a_picture(price, tmp_path):
    price.save(tmp_path / "price")
    text = (tmp_path / "price" / "price.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(price.to_dict()))
    assert json.loads(text)["class_names"] == ["cat", "dog"]
    png = (tmp_path / "price" / "price.png").read_bytes()
    assert png[1:4] == b"PNG"
