"""Checks that wrong arguments raise before anything happens."""

import numpy as np
import pytest

import keras_fewlabels as kfl
from bad_input import (
    IMAGES,
    LABELED,
    LABELS,
    NAN,
    UNLABELED,
    Subclassed,
    check_refused,
    classifier,
    parameters,
)

# Name: (expected in the message, the call that must raise).
CASES = {
    "audit_pseudo_labels: model of another type": (
        "`model` must be a `keras.Model`",
        lambda: kfl.evaluation.audit_pseudo_labels("model", LABELED, UNLABELED),
    ),
    "audit_pseudo_labels: path of images": (
        "must be images, not where they are",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), LABELED, "folder"
        ),
    ),
    "audit_pseudo_labels: history of other images": (
        "`history` must be a `PseudoLabeler`",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), LABELED, UNLABELED, history=[LABELS]
        ),
    ),
    "audit_pseudo_labels: model without features": (
        "Pass a model that returns features as `feature_model`",
        lambda: kfl.evaluation.audit_pseudo_labels(
            Subclassed(), None, UNLABELED, verbose=0
        ),
    ),
    "audit_pseudo_labels: label outside the classes": (
        "must be classes of the model",
        lambda: kfl.evaluation.audit_pseudo_labels(
            *(classifier(), None, UNLABELED),
            pseudo_labels=np.full(8, 3),
            verbose=0,
        ),
    ),
    "audit_pseudo_labels: labelled and unlabelled images swapped": (
        "`labeled` must be a pair",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), UNLABELED, LABELED
        ),
    ),
    "audit_pseudo_labels: verbose of another type": (
        "`verbose` must be 'auto', 0, 1",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), LABELED, UNLABELED, verbose="loud"
        ),
    ),
    "examine_pool: model of another type": (
        "`model` must be a `keras.Model`",
        lambda: kfl.evaluation.examine_pool("model", LABELED, UNLABELED),
    ),
    "examine_pool: labelled and unlabelled images swapped": (
        "`labeled` must be a pair",
        lambda: kfl.evaluation.examine_pool(classifier(), UNLABELED, LABELED),
    ),
    "examine_pool: test images without labels": (
        "`test_data` must be a pair",
        lambda: kfl.evaluation.examine_pool(
            classifier(), LABELED, UNLABELED, test_data=IMAGES
        ),
    ),
    "examine_pool: labels outside the classes": (
        "labels of labeled",
        lambda: kfl.evaluation.examine_pool(
            classifier(2), LABELED, UNLABELED, verbose=0
        ),
    ),
    "examine_pool: no image to show": (
        "`num_shown` must be an int, 1 or more",
        lambda: kfl.evaluation.examine_pool(
            classifier(), LABELED, UNLABELED, num_shown=0
        ),
    ),
    "examine_pool: model without features": (
        "Pass a model that returns features as `feature_model`",
        lambda: kfl.evaluation.examine_pool(
            Subclassed(), LABELED, UNLABELED, verbose=0
        ),
    ),
    "examine_pool: class names of other classes": (
        "`class_names` must name each of the 3 classes",
        lambda: kfl.evaluation.examine_pool(
            classifier(), LABELED, UNLABELED, class_names=["a"], verbose=0
        ),
    ),
    "examine_pool: seed below 0": (
        "`seed` must be an int, 0 or more",
        lambda: kfl.evaluation.examine_pool(
            classifier(), LABELED, UNLABELED, seed=-1
        ),
    ),
    "next_to_label: more than there are": (
        "`count` must not exceed",
        lambda: kfl.evaluation.next_to_label(
            classifier(), LABELED, UNLABELED, count=9
        ),
    ),
    "next_to_label: labelled images alone": (
        "`labeled` must be a pair",
        lambda: kfl.evaluation.next_to_label(
            classifier(), IMAGES, UNLABELED, count=2
        ),
    ),
    "next_to_label: labelled and unlabelled images swapped": (
        "`labeled` must be a pair",
        lambda: kfl.evaluation.next_to_label(
            classifier(), UNLABELED, LABELED, count=2
        ),
    ),
    "next_to_label: labels with the unlabelled images": (
        "`unlabeled` must be images alone",
        lambda: kfl.evaluation.next_to_label(
            classifier(), LABELED, LABELED, count=2
        ),
    ),
    "next_to_label: paths of other images": (
        "`paths` must hold one path per image",
        lambda: kfl.evaluation.next_to_label(
            classifier(), LABELED, UNLABELED, count=2, paths=["a.png"]
        ),
    ),
    "LabelProposals: format that is not known": (
        "`formats` must be a list",
        lambda: kfl.evaluation.next_to_label(
            classifier(), LABELED, UNLABELED, count=2, verbose=0
        ).save("next", formats=["coco"]),
    ),
    "PseudoLabelAudit: tool that reads files, and images without": (
        "Pass them as `paths`",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), LABELED, UNLABELED, verbose=0
        ).save("audit", formats=["fiftyone"]),
    ),
    "what_changed: other classes": (
        "`before` and `after` must have the same classes",
        lambda: kfl.evaluation.what_changed(
            classifier(), classifier(4), UNLABELED, verbose=0
        ),
    ),
    "what_changed: model of other images": (
        "must take the images as they are",
        lambda: kfl.evaluation.what_changed(
            *(classifier(), classifier(shape=(6, 6, 1)), UNLABELED),
            verbose=0,
        ),
    ),
    "what_changed: scores NaN": (
        "must return finite scores",
        lambda: kfl.evaluation.what_changed(
            classifier(), np.full((8, 3), NAN), UNLABELED, verbose=0
        ),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
