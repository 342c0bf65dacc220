"""Every public function refuses models that it would call wrongly."""

import keras
import numpy as np
import pytest
from models_as_arguments import (
    IMAGES,
    LABELS,
    REFUSED,
    Steps,
    Task,
    compiled,
    plain,
)

import keras_fewlabels as kfl

LABELED, UNLABELED = (IMAGES[:12], LABELS), IMAGES[12:]
FEW_STEPS = {"supervised_steps": 1, "student_steps": 1, "steps_per_epoch": 1}


def mixed():
    return kfl.data.mix_labeled_unlabeled(LABELED, UNLABELED, 4)


def fit(model, callback):
    model.fit(IMAGES[:4], LABELS[:4], verbose=0, callbacks=[callback])


def rand_augment_of(build_model):
    return kfl.loops.tune_rand_augment(
        build_model, LABELED, LABELED, max_trials=2, epochs=1, verbose=0
    )


# What calls or copies a model: functions of a function that makes one.
CALLS = {
    "NoisyStudentModel": lambda make: kfl.models.NoisyStudentModel(make()),
    "teacher": lambda make: kfl.models.NoisyStudentModel(plain(), make()),
    "FixMatch": lambda make: kfl.models.FixMatch(make()),
    "MeanTeacher": lambda make: kfl.models.MeanTeacher(make()),
    "standalone": lambda make: kfl.models.standalone(
        make(), ["a", "b", "c"], value_range=(0, 255)
    ),
    "fit_noisy_student": lambda make: kfl.loops.fit_noisy_student(
        make, LABELED, UNLABELED, settings=FEW_STEPS, verbose=0
    ),
    "fit_noisy_student(model)": lambda make: kfl.loops.fit_noisy_student(
        make(), LABELED, UNLABELED, settings=FEW_STEPS, verbose=0
    ),
    "recommend": lambda make: kfl.loops.recommend(make, LABELED, UNLABELED),
    "next_to_label": lambda make: kfl.evaluation.next_to_label(
        make(), LABELED, UNLABELED, 2, verbose=0
    ),
    "examine_pool": lambda make: kfl.evaluation.examine_pool(
        make(), LABELED, UNLABELED, verbose=0
    ),
    "audit_pseudo_labels": lambda make: kfl.evaluation.audit_pseudo_labels(
        make(), LABELED, UNLABELED, verbose=0
    ),
}
# These take models with several outputs, or with one class.
CALLS_OF_ANY_OUTPUT = {
    "EMATeacher": lambda make: kfl.models.EMATeacher().follow(make()),
    "add_stochastic_depth": lambda make: kfl.models.add_stochastic_depth(
        make()
    ),
    "fit_head": lambda make: kfl.loops.fit_head(
        make(), "features", LABELED, verbose=0
    ),
    "recalibrate_batch_norm": lambda make: kfl.loops.recalibrate_batch_norm(
        make(), IMAGES
    ),
    "tune_rand_augment": rand_augment_of,
    "TensorBoardEmbeddings": lambda make: fit(
        make(), kfl.callbacks.TensorBoardEmbeddings("logs", IMAGES[:4])
    ),
    "TensorBoardImages": lambda make: fit(
        make(), kfl.callbacks.TensorBoardImages("logs", LABELED)
    ),
}
# These only predict.
PREDICTIONS = {
    "what_changed": lambda model: kfl.evaluation.what_changed(
        model, model, IMAGES, verbose=0
    ),
    "evaluate_corruptions": lambda model: kfl.evaluation.evaluate_corruptions(
        model, *LABELED, corruptions=["brightness"], severities=[1], verbose=0
    ),
    "evaluate_flip_rate": lambda model: kfl.evaluation.evaluate_flip_rate(
        model, IMAGES[:2], perturbations=["brightness"], verbose=0
    ),
}
PREPROCESS = [name for name in REFUSED if name.startswith("preprocesses")]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def assert_refused(call, kind, message=None):
    made = []
    make, expected = REFUSED[kind]

    def watched():
        made.append(make())
        made.append([np.array(w) for w in made[0].get_weights()])
        return made[0]

    with pytest.raises(ValueError, match=message or expected):
        call(watched)
    for weight, before in zip(made[0].get_weights(), made[1], strict=True):
        np.testing.assert_array_equal(weight, before)


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_models_that_are_no_classifier_of_images(call, kind):
    assert_refused(call, kind)


@pytest.mark.parametrize("kind", PREPROCESS)
@pytest.mark.parametrize(
    "call", CALLS_OF_ANY_OUTPUT.values(), ids=CALLS_OF_ANY_OUTPUT
)
def test_models_that_preprocess_beside_their_layers(call, kind):
    assert_refused(call, kind, "other scores|a train step of your own")


@pytest.mark.parametrize(
    "name", ["recalibrate_batch_norm", "tune_rand_augment"]
)
def test_models_of_several_inputs(name):
    make = lambda: compiled(REFUSED["two inputs"][0]())  # noqa: E731
    with pytest.raises(ValueError, match="take images and nothing else"):
        CALLS_OF_ANY_OUTPUT[name](make)


@pytest.mark.parametrize("kind", sorted(set(REFUSED) - set(PREPROCESS)))
@pytest.mark.parametrize("call", PREDICTIONS.values(), ids=PREDICTIONS)
def test_predictions_of_no_classifier_of_images(call, kind):
    expected = r"one output|two outputs|nothing else|scores of shape \(batch, "
    assert_refused(lambda make: call(make()), kind, expected)


def same_weights(model):
    """A model that scales by a layer, with the weights of one that does not."""
    same = plain(1 / 255)
    same.set_weights(model.get_weights())
    return same


@pytest.mark.parametrize("kind", [Task, Steps])
def test_predictions_see_what_predict_sees(kind):
    model = compiled(kind())
    same = same_weights(model)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0),
        same.predict(IMAGES, verbose=0),
        atol=1e-5,
    )
    changes = kfl.evaluation.what_changed(model, same, IMAGES, verbose=0)
    assert len(changes.order) == 0
    assert len(set(changes.after)) > 1
    for name in ("evaluate_corruptions", "evaluate_flip_rate"):
        ours, theirs = map(PREDICTIONS[name], (model, same))
        assert ours.to_dict() == theirs.to_dict()


def test_pseudo_labels_are_those_of_predict():
    model = compiled(Steps())
    labels = []
    for student in (same_weights(model), model):
        keras.utils.set_random_seed(0)
        labeler = kfl.callbacks.PseudoLabeler(
            UNLABELED, policy=kfl.policies.FixedThreshold(0.0)
        )
        dataset = labeler.mixed_with(LABELED, batch_size=4)
        student.fit(dataset, epochs=2, callbacks=[labeler], verbose=0)
        labels.append((labeler.labels, labeler.confidence))
    np.testing.assert_array_equal(labels[0][0], labels[1][0])
    np.testing.assert_allclose(labels[0][1], labels[1][1], atol=1e-4)


@pytest.mark.filterwarnings("ignore:.*is taking over")
def test_the_ways_out_of_the_message_work():
    task = compiled(Task())
    task.preprocessor = None
    images = keras.Input(IMAGES.shape[1:])
    scaled = keras.layers.Rescaling(1 / 255)(images)
    around = compiled(keras.Model(images, compiled(Steps())(scaled)))
    for student in (task, around):
        model = kfl.models.NoisyStudentModel(student)
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(mixed(), verbose=0)
    expected = around.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(
        expected, model.predict(IMAGES, verbose=0), rtol=1e-5
    )
