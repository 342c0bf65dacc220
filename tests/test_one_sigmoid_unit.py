"""Two classes with one sigmoid unit are what they are with a softmax.

A table has every public function that takes a classifier. Each is called with
both models, which give the same probabilities. Their heads are frozen, because
the same step would move the two logits of a softmax twice as far apart.
"""

import io

import keras
import numpy as np
import pytest
from keras import layers
from models_as_arguments import IMAGES, SHAPE

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.tensorboard import tensorboard_images

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is taking over"),
    pytest.mark.filterwarnings("ignore:The unlabelled images practically"),
]
CLASSES = np.arange(12) % 2
NAMES = ["even", "odd"]
FEW_STEPS = {"supervised_steps": 4, "student_steps": 4, "steps_per_epoch": 2}
TRAINED = {"student_steps": 3, "steps_per_epoch": 2, "rounds": 1}


class Kind:
    """One of two heads for two classes, and the labels that it learns.

    Args:
        is_sigmoid: Boolean.
        from_logits: Boolean.
    """

    def __init__(self, is_sigmoid, from_logits):
        self.is_sigmoid, self.from_logits = is_sigmoid, from_logits
        rows = np.eye(2, dtype="float32")[CLASSES]
        self.labels = CLASSES.astype("float32") if is_sigmoid else rows
        self.labeled = IMAGES[:12], self.labels
        self.unlabeled = IMAGES[12:]

    def model(self, bias=0.0, loss=True):
        """Returns a new model; all have the same probabilities."""
        keras.utils.set_random_seed(0)
        images = keras.Input(SHAPE)
        x = layers.Rescaling(1 / 255)(images)
        x = layers.AveragePooling2D(8, name="features")(x)
        x = layers.Flatten()(x)
        x = layers.Add()([x, layers.Dense(16)(x)])
        kernel = np.random.default_rng(1).normal(size=(16, 1))
        biases = np.array([bias])
        if not self.is_sigmoid:
            kernel = np.hstack([np.zeros_like(kernel), kernel])
            biases = np.array([0, bias])
        activation = "sigmoid" if self.is_sigmoid else "softmax"
        head = layers.Dense(
            len(biases), None if self.from_logits else activation
        )
        model = keras.Model(images, head(x))
        head.set_weights([kernel, biases])
        head.trainable = False
        if bias:
            model.layers[4].bias.assign(np.full(16, 0.01))
        if loss:
            self.compile(model)
        return model

    def compile(self, model):
        metric = "accuracy"
        loss = keras.losses.CategoricalCrossentropy(self.from_logits)
        if self.is_sigmoid:
            threshold = 1e-7 if self.from_logits else 0.5
            loss = keras.losses.BinaryCrossentropy(self.from_logits)
            metric = keras.metrics.BinaryAccuracy(metric, threshold=threshold)
        model.compile(keras.optimizers.SGD(0.05), loss, metrics=[metric])
        return model

    def second(self, model):
        """Returns the probabilities of the second class."""
        outputs = model.predict(IMAGES, verbose=0).astype("float64")
        if not self.from_logits:
            return outputs[:, -1]
        return 1 / (
            1 + np.exp(outputs[:, 0] * (not self.is_sigmoid) - outputs[:, -1])
        )


def student(make):
    """Returns a function that fits a method, and what it then predicts."""

    def fit(kind):
        keras.utils.set_random_seed(1)
        model = kind.compile(make(kind.model(loss=False)))
        data = kfl.data.mix_labeled_unlabeled(
            kind.labeled, kind.unlabeled, 4, seed=0, truth=CLASSES
        )
        history = model.fit(data, epochs=2, verbose=0).history
        return kind.second(model), history

    return fit


def pseudo_labels(kind, **options):
    model = kind.model()
    policy = kfl.policies.FixedThreshold(0.6, soft=True)
    labeler = kfl.callbacks.PseudoLabeler(
        kind.unlabeled, policy=policy, seed=0, truth=CLASSES, **options
    )
    data = labeler.mixed_with(kind.labeled, 4, seed=0)
    history = model.fit(data, epochs=3, callbacks=[labeler], verbose=0).history
    # Keras counts a soft label as wrong in a binary accuracy.
    history.pop("accuracy")
    return kind.second(model), labeler.to_dict(), labeler.rounds, history


def called_back(make):
    def fit(kind):
        model = kind.model()
        callback = make(kind, model)
        history = model.fit(
            *kind.labeled,
            batch_size=4,
            epochs=4,
            verbose=0,
            shuffle=False,
            callbacks=[callback],
        ).history
        return kind.second(model), history

    return fit


def drawn(kind, monkeypatch):
    """Returns the pictures that TensorBoard gets."""
    pictures = []

    class Events(tensorboard_images.ImageEvents):
        def write(self, tag, image, step):
            pictures.append(np.asarray(image))

    monkeypatch.setattr(tensorboard_images, "ImageEvents", Events)
    images = kfl.callbacks.TensorBoardImages(
        "logs", kind.labeled, kind.unlabeled, truth=CLASSES
    )
    called_back(lambda *_: images)(kind)
    return pictures


def loop(settings, bias=0.0, loss=True, **options):
    def run(kind):
        model, report = kfl.loops.fit_noisy_student(
            lambda: kind.model(bias, loss),
            kind.labeled,
            kind.unlabeled,
            validation_data=kind.labeled,
            test_data=kind.labeled,
            settings=settings,
            class_names=NAMES,
            noise=layers.RandomFlip(seed=0),
            verbose=0,
            **options,
        )
        found = report.to_dict()
        names = ("phases", "baseline", "verdict", "examined")
        accuracy = model.evaluate(*kind.labeled, verbose=0)[1]
        return kind.second(model), accuracy, [found[name] for name in names]

    return run


def recommended(kind):
    return kfl.loops.recommend(
        kind.model, kind.labeled, kind.unlabeled
    ).to_dict()


def head(kind, **options):
    model = kind.model()
    kfl.loops.fit_head(
        model, "features", kind.labeled, epochs=2, verbose=0, **options
    )
    return kind.second(model)


def learning_rates(kind):
    finder = kfl.callbacks.LearningRateFinder(1e-4, 1e-1, num_steps=10)
    return called_back(lambda *_: finder)(kind)[1]


def batch_norm(kind):
    model = kind.model()
    kfl.loops.recalibrate_batch_norm(model, IMAGES)
    return kind.second(model)


def tuned(kind):
    trials = kfl.loops.tune_rand_augment(
        kind.model,
        kind.labeled,
        kind.labeled,
        ops=["rotate"],
        max_trials=2,
        epochs=1,
        verbose=0,
    )
    return trials.to_dict()


def alone(kind):
    model = kfl.models.standalone(kind.model(), NAMES, value_range=(0, 255))
    file = io.BytesIO(model.predict(IMAGES, verbose=0).astype("float16"))
    assert kfl.models.class_names_of(model) == NAMES
    rows = np.frombuffer(file.getvalue(), "float16")
    top = dict(kfl.models.predict_image(model, IMAGES[0]))
    report = kfl.models.export_standalone(
        model, "exported", IMAGES[:2], formats=["keras"]
    )
    assert report.to_dict()["keras"]["difference"] < 1e-5
    return rows, [top[name] for name in NAMES]


def proposals(kind):
    found = kfl.evaluation.next_to_label(
        kind.model(),
        kind.labeled,
        kind.unlabeled,
        3,
        validation_data=kind.labeled,
        verbose=0,
    )
    return found.indices, found.uncertainty


def audit(kind):
    found = kfl.evaluation.audit_pseudo_labels(
        kind.model(), kind.labeled, kind.unlabeled, verbose=0
    )
    return found.indices, found.labels, found.agreement, found.confidence


def pool(kind):
    found = kfl.evaluation.examine_pool(
        kind.model(), kind.labeled, kind.unlabeled, verbose=0
    )
    return found.scores, found.weights, found.to_dict()


def changes(kind):
    found = kfl.evaluation.what_changed(
        kind.model(),
        kind.model(bias=0.5),
        kind.labeled[0],
        CLASSES,
        verbose=0,
    )
    return found.before, found.after, found.order, found.verdict.to_dict()


def corruptions(kind):
    found = kfl.evaluation.evaluate_corruptions(
        kind.model(),
        *kind.labeled,
        corruptions=["brightness", "contrast"],
        severities=[1, 5],
        baseline=kind.model(bias=0.5),
        verbose=0,
    )
    return found.to_dict()


def flips(kind):
    return kfl.evaluation.evaluate_flip_rate(
        kind.model(), IMAGES[:6], perturbations=["brightness"], verbose=0
    ).to_dict()


def drawn_predictions(kind):
    outputs = kind.model().predict(IMAGES[:12], verbose=0)
    if kind.from_logits:
        outputs = keras.ops.convert_to_numpy(
            keras.ops.sigmoid(outputs)
            if kind.is_sigmoid
            else keras.ops.softmax(outputs)
        )
    figure = kfl.plots.predictions(IMAGES[:12], CLASSES, outputs, NAMES)
    return [text.get_text() for text in figure.axes[0].texts]


def averaged(kind):
    model = kfl.models.NoisyStudentModel(
        kind.model(loss=False), kfl.models.EMATeacher()
    )
    return kind.second(model.teacher.model)


def method(name):
    # The noise of the methods takes long to trace.
    return student(
        lambda model: getattr(kfl.models, name)(
            model, noise=layers.RandomFlip(), weak_noise=layers.Identity()
        )
    )


SAME = {
    **{
        name: method(name)
        for name in (
            *("AdaMatch", "FixMatch", "FlexMatch", "FreeMatch"),
            *("MeanTeacher", "MixMatch", "NoisyStudentModel", "ReMixMatch"),
            *("SoftMatch", "UDA"),
        )
    },
    "NoisyStudent": lambda kind: student(
        lambda model: kfl.models.NoisyStudent(
            model, kind.model(bias=0.5), noise=layers.RandomFlip()
        )
    )(kind),
    "DistributionAlignment": student(
        lambda model: kfl.models.NoisyStudentModel(
            model,
            policy=kfl.policies.DistributionAlignment(
                kfl.policies.DebiasedPolicy(kfl.policies.FixedThreshold(0.6))
            ),
        )
    ),
    "blank_value": student(
        lambda model: kfl.models.NoisyStudentModel(model, blank_value=255.0)
    ),
    "balanced_head": student(
        lambda model: kfl.models.NoisyStudentModel(model, balanced_head=True)
    ),
    "EMATeacher": averaged,
    "add_stochastic_depth": lambda kind: kind.second(
        kfl.models.add_stochastic_depth(kind.model())
    ),
    "standalone": alone,
    "PseudoLabeler": pseudo_labels,
    "PseudoLabeler(teacher)": lambda kind: pseudo_labels(
        kind, teacher=kind.model(bias=0.5), balance="repeat"
    ),
    "FineTune": called_back(
        lambda kind, model: kfl.callbacks.FineTune("features", {1: 1})
    ),
    "LearningRateFinder": learning_rates,
    "ExactBackup": called_back(
        lambda kind, model: kfl.callbacks.ExactBackup(
            f"backup{kind.is_sigmoid}"
        )
    ),
    "TensorBoardEmbeddings": called_back(
        lambda kind, model: kfl.callbacks.TensorBoardEmbeddings(
            "logs", IMAGES[:12], CLASSES
        )
    ),
    "fit_noisy_student": loop(FEW_STEPS),
    "recommend": recommended,
    "fit_head": head,
    "fit_head(unlabeled)": lambda kind: head(kind, unlabeled=kind.unlabeled),
    "recalibrate_batch_norm": batch_norm,
    "tune_rand_augment": tuned,
    "next_to_label": proposals,
    "audit_pseudo_labels": audit,
    "examine_pool": pool,
    "what_changed": changes,
    "evaluate_corruptions": corruptions,
    "evaluate_flip_rate": flips,
    "plots.predictions": drawn_predictions,
}
# The public names that take no classifier, or only models that they do not
# call, and those that the others above use.
WITHOUT = (
    "augmentations comparison confusion_matrix contact_sheet learning_curves "
    "pseudo_labels corrupt ImageFiles load_image_folders mix_labeled_unlabeled "
    "read_new_labels read_veto split_labels without_vetoed FitReport Settings "
    "find_batch_size find_learning_rate MultiWorkerModel class_names_of "
    "classifier export_standalone linear_rates predict_image predictions "
    "TensorBoardImages first_to_label"
)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def assert_same(ours, theirs, tolerance, path=""):
    if isinstance(ours, dict):
        assert set(ours) == set(theirs), path
        for name in ours:
            if "seconds" not in name:
                place = f"{path}.{name}"
                assert_same(ours[name], theirs[name], tolerance, place)
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs), path
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, tolerance, f"{path}[{number}]")
    elif isinstance(ours, (str, type(None))):
        assert ours == theirs, path
    else:
        np.testing.assert_allclose(
            np.asarray(ours, "float64"),
            np.asarray(theirs, "float64"),
            atol=tolerance,
            rtol=tolerance,
            err_msg=path,
        )


def test_every_public_function_is_in_the_table():
    folders = (
        *(kfl.callbacks, kfl.data, kfl.evaluation, kfl.loops),
        *(kfl.models, kfl.plots),
    )
    public = {name for folder in folders for name in folder.__all__}
    tested = {name.partition("(")[0] for name in SAME}
    missing = public - tested - set(WITHOUT.split())
    assert not missing, "try it with one sigmoid unit as well"


def check_same(name, from_logits):
    found = [
        SAME[name](Kind(is_sigmoid, from_logits))
        for is_sigmoid in (True, False)
    ]
    assert_same(*found, tolerance=2e-3)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SAME)
def test_one_sigmoid_is_two_of_a_softmax(name, eager):
    check_same(name, from_logits=False)


# Logits go through the ops that differ between backends, here in graphs. The
# rest is the same code on all of them, and differs in nothing that logits
# would change.
@pytest.mark.parametrize(
    "name",
    [
        *("FreeMatch", "balanced_head", "MeanTeacher", "NoisyStudentModel"),
        *("PseudoLabeler", "fit_head(unlabeled)", "next_to_label"),
        *("evaluate_corruptions", "standalone", "what_changed", "ReMixMatch"),
    ],
)
def test_a_logit_is_that_of_a_softmax(name):
    check_same(name, from_logits=True)


def test_the_same_pictures_in_tensorboard(monkeypatch):
    found = [drawn(Kind(flag, False), monkeypatch) for flag in (True, False)]
    assert len(found[0]) == 8
    assert_same(*found, tolerance=0)


@pytest.mark.parametrize("from_logits", [False, True])
def test_a_model_that_comes_trained(from_logits):
    run = loop(TRAINED, bias=0.1, loss=False)
    ours, theirs = (run(Kind(flag, from_logits)) for flag in (True, False))
    phases = [each[2][0] for each in (ours, theirs)]
    assert phases[0][0]["name"] == "linear probe"
    for pair in zip(*(part[:2] for part in phases), strict=True):
        assert_same(*pair, tolerance=2e-3)
    # With Adam they differ a little, as each logit has a rate of its own.
    np.testing.assert_allclose(ours[0], theirs[0], atol=0.05)
