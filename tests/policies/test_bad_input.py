"""Checks that wrong arguments raise before anything happens."""

import keras
import pytest

import keras_fewlabels as kfl
from bad_input import NAN, SCORES, check_refused, parameters


def policy(name, inputs=SCORES, **options):
    context = options.pop("context", {})
    getattr(kfl.policies, name)(**options)(inputs, training=True, **context)


def nested(name, **options):
    threshold = kfl.policies.FixedThreshold()
    policy(name, **{"policy": threshold, **options})


# Name: (expected in the message, the call that must raise).
CASES = {
    "FixedThreshold: above 1": (
        r"`threshold` must be a number in \[0, 1\]",
        lambda: policy("FixedThreshold", threshold=95),
    ),
    "FixedThreshold: another type": (
        r"`threshold` must be a number in \[0, 1\]",
        lambda: policy("FixedThreshold", threshold="0.95"),
    ),
    "FixedThreshold: temperature 0": (
        "`temperature` must be a number above 0",
        lambda: policy("FixedThreshold", temperature=0),
    ),
    "FixedThreshold: temperature of another type": (
        "`temperature` must be a number above 0",
        lambda: policy("FixedThreshold", temperature=None),
    ),
    "DistributionAlignment: prior with a 0": (
        "`prior` must have a positive share",
        lambda: nested("DistributionAlignment", prior=[0, 0.5, 0.5]),
    ),
    "DistributionAlignment: prior NaN": (
        "`prior` must have a positive share",
        lambda: nested("DistributionAlignment", prior=[0.5, 0.5, NAN]),
    ),
    "DistributionAlignment: prior of other classes": (
        "a share for each of the model's classes",
        lambda: nested("DistributionAlignment", prior=[0.5, 0.5]),
    ),
    "DistributionAlignment: prior of another type": (
        "`prior` must have a positive share",
        lambda: nested("DistributionAlignment", prior=0.5),
    ),
    "DistributionAlignment: policy of another type": (
        "`policy` must be a `keras_fewlabels.policies.Policy`",
        lambda: nested("DistributionAlignment", policy=0.95),
    ),
    "DebiasedPolicy: negative strength": (
        "`strength` must be a number, 0 or more",
        lambda: nested("DebiasedPolicy", strength=-1),
    ),
    "DebiasedPolicy: strength of another type": (
        "`strength` must be a number, 0 or more",
        lambda: nested("DebiasedPolicy", strength="0.4"),
    ),
    "DebiasedPolicy: policy of another type": (
        "`policy` must be a `keras_fewlabels.policies.Policy`",
        lambda: nested("DebiasedPolicy", policy=None),
    ),
    "Policy: another layer": (
        "Derive Dropout from that class",
        lambda: nested("DebiasedPolicy", policy=keras.layers.Dropout(0.5)),
    ),
    "Policy: a selection": (
        r"PseudoLabeler\(balance=...\)",
        lambda: nested("DebiasedPolicy", policy=kfl.policies.TopPerClass(5)),
    ),
    "FlexMatchPolicy: no images": (
        "`num_unlabeled` must be an int",
        lambda: policy("FlexMatchPolicy", num_unlabeled=0),
    ),
    "FlexMatchPolicy: number of another type": (
        "`num_unlabeled` must be an int",
        lambda: policy("FlexMatchPolicy", num_unlabeled=7.5),
    ),
    "FlexMatchPolicy: threshold of another type": (
        r"`threshold` must be a number in \[0, 1\]",
        lambda: policy("FlexMatchPolicy", threshold=[0.95]),
    ),
    "FlexMatchPolicy: without indices": (
        "FlexMatchPolicy needs `indices`",
        lambda: policy("FlexMatchPolicy"),
    ),
    "FlexMatchPolicy: indices of floats": (
        "must be ints",
        lambda: policy("FlexMatchPolicy", context={"indices": SCORES[:, 0]}),
    ),
    "FreeMatchPolicy: momentum of 1": (
        "`momentum` must be",
        lambda: policy("FreeMatchPolicy", momentum=1.0),
    ),
    "FreeMatchPolicy: momentum of another type": (
        "`momentum` must be",
        lambda: policy("FreeMatchPolicy", momentum=None),
    ),
    "SoftMatchPolicy: width of 0": (
        "`n_sigma` must be a number above 0",
        lambda: policy("SoftMatchPolicy", n_sigma=0),
    ),
    "SoftMatchPolicy: width of another type": (
        "`n_sigma` must be a number above 0",
        lambda: policy("SoftMatchPolicy", n_sigma="2"),
    ),
    "AdaMatchPolicy: threshold NaN": (
        r"`threshold` must be a number in \[0, 1\]",
        lambda: policy("AdaMatchPolicy", threshold=NAN),
    ),
    "AdaMatchPolicy: threshold of another type": (
        r"`threshold` must be a number in \[0, 1\]",
        lambda: policy("AdaMatchPolicy", threshold="0.9"),
    ),
    "AdaMatchPolicy: without labelled images": (
        "needs `labeled_probabilities`",
        lambda: policy("AdaMatchPolicy"),
    ),
    "TopPerClass: none": (
        "`num_per_class` must be an int, 1 or more",
        lambda: kfl.policies.TopPerClass(num_per_class=0),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
