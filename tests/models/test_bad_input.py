"""Checks that wrong arguments raise before anything happens."""

import keras
import pytest
from keras.layers import MixUp

import keras_fewlabels as kfl
from bad_input import (
    FLOATS,
    IMAGES,
    LABELED,
    LABELS,
    NAN,
    check_refused,
    classifier,
    fit_mixed,
    mix,
    parameters,
    student_model,
    tf_data,
    unbuilt,
)

# Name: (expected in the message, the call that must raise).
CASES = {
    "NoisyStudentModel: student of another type": (
        "`student` must be a Keras model",
        lambda: kfl.models.NoisyStudentModel("resnet"),
    ),
    "NoisyStudentModel: student not built": (
        "The student must be built",
        lambda: kfl.models.NoisyStudentModel(unbuilt()),
    ),
    "NoisyStudentModel: teacher of another type": (
        "`teacher` must be a Keras model",
        lambda: student_model(teacher="average"),
    ),
    "NoisyStudentModel: teacher not built": (
        "The teacher must be built",
        lambda: student_model(teacher=unbuilt()),
    ),
    "NoisyStudentModel: teacher is the student": (
        "must not share weights",
        lambda: (lambda m: student_model(m, m))(classifier()),
    ),
    "NoisyStudentModel: policy of another type": (
        "`policy` must be a `keras_fewlabels.policies.Policy`",
        lambda: fit_mixed(policy=0.95),
    ),
    "NoisyStudentModel: noise of another type": (
        "`noise` must be a Keras layer",
        lambda: fit_mixed(noise="rand_augment"),
    ),
    "NoisyStudentModel: weak noise of another type": (
        "`weak_noise` must be a Keras layer",
        lambda: fit_mixed(weak_noise=lambda images: images),
    ),
    "NoisyStudentModel: labelled noise of another type": (
        "`labeled_noise` must be a Keras layer.*or 'weak'",
        lambda: fit_mixed(labeled_noise="strong"),
    ),
    "NoisyStudentModel: noise that mixes images": (
        "A MixUp mixes images with their labels.*Pass it as `mixing`",
        lambda: fit_mixed(
            noise=keras.Sequential([kfl.layers.RandAugment(), MixUp()])
        ),
    ),
    "NoisyStudentModel: mixing of another type": (
        "`mixing` must be a Keras layer",
        lambda: fit_mixed(mixing=0.75),
    ),
    "NoisyStudentModel: mixing that takes images alone": (
        "`mixing` must be a layer that takes and returns a dict",
        lambda: fit_mixed(mixing=keras.layers.Rescaling(2.0)),
    ),
    "NoisyStudentModel: no views": (
        "`num_views` must be an int, 1 or more",
        lambda: fit_mixed(num_views=0),
    ),
    "NoisyStudentModel: balanced head in words": (
        "`balanced_head` must be True or False",
        lambda: fit_mixed(balanced_head="abc"),
    ),
    "NoisyStudentModel: balanced head of mixed images": (
        "leave out `mixing` and `blank_value`",
        lambda: fit_mixed(balanced_head=True, mixing=MixUp()),
    ),
    "NoisyStudentModel: blank image in words": (
        "`blank_value` must be a finite number, or None",
        lambda: fit_mixed(blank_value="white"),
    ),
    "MixMatch: views in words": (
        "`num_views` must be an int, 1 or more",
        lambda: kfl.models.MixMatch(classifier(), num_views="2"),
    ),
    "ReMixMatch: negative weight": (
        "`unmixed_weight` must be a number",
        lambda: kfl.models.ReMixMatch(classifier(), unmixed_weight=-1),
    ),
    "NoisyStudentModel: negative weight": (
        "`unlabeled_weight` must be a number",
        lambda: fit_mixed(unlabeled_weight=-1.0),
    ),
    "NoisyStudentModel: weight NaN": (
        "`unlabeled_weight` must be a number",
        lambda: fit_mixed(unlabeled_weight=NAN),
    ),
    "NoisyStudentModel: weight of another type": (
        "`unlabeled_weight` must be a number",
        lambda: fit_mixed(unlabeled_weight="1"),
    ),
    "NoisyStudentModel: not compiled": (
        r"Call `model.compile\(optimizer, loss\)` before",
        lambda: fit_mixed(loss=None),
    ),
    "NoisyStudentModel: arrays instead of two streams": (
        r"`fit\(\)` needs batches",
        lambda: student_model().fit(*LABELED, verbose=0),
    ),
    "NoisyStudentModel: tf.data of one stream": (
        r"`fit\(\)` needs batches",
        lambda: fit_mixed(data=tf_data(*LABELED)),
    ),
    "NoisyStudentModel: empty tf.data": (
        r"`fit\(\)` needs batches",
        lambda: fit_mixed(data=mix(tf_data(*LABELED)).take(0)),
    ),
    "NoisyStudentModel: student of logits": (
        "last layer of the student needs `activation='softmax'`",
        lambda: fit_mixed(student=classifier(activation=None, loss=None)),
    ),
    "NoisyStudentModel: teacher of logits": (
        "last layer of the teacher needs `activation='softmax'`",
        lambda: fit_mixed(teacher=classifier(activation=None)),
    ),
    "NoisyStudentModel: loss of no classes": (
        "must be a categorical cross-entropy",
        lambda: fit_mixed(loss="mse"),
    ),
    "NoisyStudentModel: teacher of other classes": (
        "must have the same classes",
        lambda: fit_mixed(teacher=classifier(4)),
    ),
    "NoisyStudentModel: model of other images": (
        "The student must take the images",
        lambda: fit_mixed(student=classifier(shape=(6, 6, 1))),
    ),
    "NoisyStudentModel: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: fit_mixed((IMAGES[:4], LABELS[:4] + 1)),
    ),
    "NoisyStudentModel: class numbers for one-hot labels": (
        "expects one-hot labels",
        lambda: fit_mixed(loss="categorical_crossentropy"),
    ),
    "NoisyStudentModel: images scaled already": (
        "looks scaled to",
        lambda: fit_mixed(
            (FLOATS[:8], LABELS[:8]),
            FLOATS[8:],
            noise=kfl.layers.RandAugment(),
        ),
    ),
    "FixMatch: range in reverse": (
        "`value_range` must be the values of black and white",
        lambda: kfl.models.FixMatch(classifier(), value_range=(255, 0)),
    ),
    "FreeMatch: policy without fairness": (
        "needs a policy with a `fairness",
        lambda: kfl.models.FreeMatch(
            classifier(), policy=kfl.policies.FixedThreshold()
        ),
    ),
    "FreeMatch: weight of another type": (
        "`fairness_weight` must be a number",
        lambda: kfl.models.FreeMatch(classifier(), fairness_weight=None),
    ),
    "NoisyStudent: teacher of another type": (
        "`teacher` must be a Keras model",
        lambda: kfl.models.NoisyStudent(classifier(), "teacher.keras"),
    ),
    "EMATeacher: decay of 1": (
        "`decay` must be",
        lambda: kfl.models.EMATeacher(1.0),
    ),
    "EMATeacher: decay of another type": (
        "`decay` must be",
        lambda: kfl.models.EMATeacher("0.99"),
    ),
    "EMATeacher: follows nobody": (
        "only once it follows a student",
        lambda: kfl.models.EMATeacher()(IMAGES),
    ),
}


@pytest.mark.parametrize("message, do_wrong", parameters(CASES))
def test_refused_before_anything_happens(
    message, do_wrong, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_refused(message, do_wrong, tmp_path)
