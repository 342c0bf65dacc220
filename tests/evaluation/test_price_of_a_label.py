import keras
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_fewlabels.evaluation import price_of_a_label

DIGITS = load_digits()
IMAGES = DIGITS.images[..., None].astype("float32")
TRUTH = DIGITS.target
LABELED = IMAGES[:60], TRUTH[:60]
VALIDATION = IMAGES[60:160], TRUTH[60:160]


@pytest.fixture
def features():
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()])


@pytest.fixture
def model(features):
    return keras.Sequential([features, layers.Dense(10, activation="softmax")])


def test_gain_is_told_for_each_offer_and_class(model):
    price = price_of_a_label(
        model, LABELED, VALIDATION, extra=[120, 60], num_orders=3
    )
    # Half of the validation images lends labels.
    assert (price.num_labels, price.sizes[-1]) == (60, 110)
    fitted = [size for size, e in zip(price.sizes, price.curve, strict=True)
              if e is not None]  # fmt: skip
    assert fitted[0] == 60 and len(fitted) == 5
    assert [offer["extra"] for offer in price.offers] == [60, 120]
    assert price.errors[0] > price.errors[-1] + 0.05
    assert price.offers[0]["gain"] < price.offers[1]["gain"]
    assert [offer["class"] for offer in price.class_offers] == list(range(10))
    assert {offer["extra"] for offer in price.class_offers} == {120}
    assert price.measured_on == "100 validation images"


def test_seed_decides(model):
    first, again, other = (
        price_of_a_label(
            model, LABELED, VALIDATION, 60, num_orders=2, seed=seed
        ).to_dict()
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["offers"] != other["offers"]


def test_cross_validation_with_features_that_know_no_label(model, features):
    price = price_of_a_label(
        model, LABELED, feature_model=features, num_orders=2
    )
    # A fifth is held out; the labels there are stay sixty.
    assert (price.sizes[-1], price.num_labels) == (48, 60)
    assert [offer["extra"] for offer in price.offers] == [30, 60, 120]
    assert 0.01 < price.errors[-1] < price.errors[0] < 0.3
    assert price.measured_on == "60 labels, cross-validated"


def test_labels_that_the_features_know_are_not_validated_on(model):
    with pytest.raises(ValueError, match="make each of them look known"):
        price_of_a_label(model, LABELED)


@pytest.mark.parametrize("options, message", [
    ({"extra": 0}, "`extra` must be an int, 1 or more"),
    ({"extra": []}, "`extra` must be a number of labels"),
    ({"extra": "40"}, "`extra` must be a number of labels"),
    ({"confidence": 90}, "above 0 and below 1"),
    ({"num_orders": 1}, "`num_orders` must be an int, 2 or more"),
    ({"class_names": ["a"]}, "each of the 10 classes"),
])  # fmt: skip
def test_wrong_arguments(model, options, message):
    with pytest.raises(ValueError, match=message):
        price_of_a_label(model, LABELED, VALIDATION, **options)
