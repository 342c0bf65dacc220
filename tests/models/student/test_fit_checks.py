import keras
import numpy as np
import pytest

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.models.student.fit_checks import (
    _first_batch,
    check_before_fit,
)
from keras_fewlabels.policies import FreeMatchPolicy

IMAGES = np.random.default_rng(0).normal(size=(40, 2, 3, 1)).astype("float32")
LABELS = np.arange(12) % 3


def linear_model(activation="softmax", num_classes=3):
    return keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, activation=activation),
        ]
    )


def mixed(labels=LABELS, images=IMAGES, truth=None):
    return mix_labeled_unlabeled(
        (images[:12], labels), images[12:], 4, truth=truth
    )


def compiled(*args, loss="sparse_categorical_crossentropy", **kwargs):
    model = NoisyStudentModel(*args, **kwargs)
    model.compile("sgd", loss)
    return model


def sigmoids(**kwargs):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return compiled(linear_model(activation=None), loss=loss, **kwargs)


def other_range(scale):
    noise = keras.layers.RandomBrightness(0.1, value_range=(0, 255))
    return compiled(linear_model(), noise=noise), mixed(images=IMAGES * scale)


FIT_ERRORS = {
    "not compiled": (
        lambda: (NoisyStudentModel(linear_model()), mixed()),
        "Call `model.compile",
    ),
    "not mixed": (
        lambda: (
            compiled(linear_model()),
            mixed().map(lambda x, y: (x["labeled"], y))
            if hasattr(mixed(), "map")
            else PlainBatches(),
        ),
        r"needs batches.*mix_labeled_unlabeled",
    ),
    "logits": (
        lambda: (compiled(linear_model(activation=None)), mixed()),
        "student needs `activation='softmax'`",
    ),
    "teacher gives logits": (
        lambda: (
            compiled(linear_model(), linear_model(activation=None)),
            mixed(),
        ),
        "teacher needs `activation='softmax'`",
    ),
    "other classes": (
        lambda: (
            compiled(linear_model(), linear_model(num_classes=4)),
            mixed(),
        ),
        "3 classes of the student, 4 of the teacher",
    ),
    "label range": (
        lambda: (compiled(linear_model()), mixed(LABELS + 3)),
        "class numbers from 0 to 2.*maximum=5",
    ),
    "one-hot labels": (
        lambda: (compiled(linear_model()), mixed(np.eye(3)[LABELS])),
        "expects class numbers.*one-hot",
    ),
    "class numbers": (
        lambda: (
            compiled(linear_model(), loss="categorical_crossentropy"),
            mixed(),
        ),
        "expects one-hot labels.*to_categorical",
    ),
    "other loss": (
        lambda: (compiled(linear_model(), loss="mse"), mixed()),
        "categorical cross-entropy.*'mse'",
    ),
    "outside the value range": (
        lambda: other_range(1),
        r"`labeled` must lie in the value range \(0, 255\)",
    ),
    "logits, but a teacher of probabilities": (
        lambda: (
            compiled(
                linear_model(activation=None),
                linear_model(),
                loss=keras.losses.SparseCategoricalCrossentropy(
                    from_logits=True
                ),
            ),
            mixed(),
        ),
        "expects logits, but the teacher gives probabilities",
    ),
    "sigmoids for class numbers": (
        lambda: (sigmoids(), mixed()),
        "must have a column for each label of the model",
    ),
    "sigmoids for shares of classes": (
        lambda: (sigmoids(), mixed(np.full((len(LABELS), 3), 1 / 3))),
        "must hold 0 and 1",
    ),
    "sigmoids, but a policy of one class": (
        lambda: (
            sigmoids(policy=FreeMatchPolicy()),
            mixed(np.eye(3)[LABELS]),
        ),
        "FreeMatchPolicy compares classes of which one is true",
    ),
    "a softmax that a binary loss reads": (
        lambda: (
            compiled(linear_model(), loss="binary_crossentropy"),
            mixed(np.eye(3)[LABELS]),
        ),
        "ends with a softmax, of which one class is true",
    ),
    "several classes, but a softmax": (
        lambda: (
            compiled(linear_model(), loss="categorical_crossentropy"),
            mixed(np.ones((len(LABELS), 3))),
        ),
        "must hold rows that are not negative and sum to 1",
    ),
    "one output for a softmax": (
        lambda: (compiled(linear_model(num_classes=1)), mixed(LABELS % 2)),
        "needs an output for each class",
    ),
    "one sigmoid for three classes": (
        lambda: (
            compiled(
                linear_model("sigmoid", num_classes=1),
                loss="binary_crossentropy",
            ),
            mixed(),
        ),
        "class numbers from 0 to 1",
    ),
    "truth of several classes, but a softmax": (
        lambda: (
            compiled(linear_model()),
            mixed(truth=np.ones((28, 3), int)),
        ),
        "`truth` with a column per class must hold rows",
    ),
    "no class scores": (
        lambda: (compiled(Maps()), mixed()),
        r"one row of class scores.*\(2, 2, 3, 1\)",
    ),
    "dict of scores": (
        lambda: (compiled(Maps(in_dict=True)), mixed()),
        r"one output.*scores",
    ),
}


class OtherLength(keras.utils.PyDataset):
    """A mixed batch in which one entry is one short."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def __len__(self):
        return 1

    def __getitem__(self, number):
        parts = {
            "labeled": IMAGES[:2],
            "unlabeled": IMAGES[:4],
            "index": np.arange(4),
            "truth": np.zeros(4, "int32"),
            "labels": LABELS[:2],
        }
        parts[self.name] = parts[self.name][1:]
        return parts, parts.pop("labels")


FIT_ERRORS |= {
    f"{name} of another length": (
        lambda name=name: (compiled(linear_model()), OtherLength(name)),
        f"one entry of '{name}' for each",
    )
    for name in ("index", "truth", "labels")
}


class Maps(keras.Model):
    """A subclassed model, whose outputs are known when it predicts."""

    def __init__(self, in_dict=False):
        super().__init__()
        self.in_dict, self.conv = in_dict, keras.layers.Conv2D(1, 1)
        self(IMAGES[:1])

    def call(self, images, training=None):
        maps = self.conv(images)
        return {"scores": maps} if self.in_dict else maps


class PlainBatches(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return IMAGES[:4], LABELS[:4]


@pytest.mark.parametrize("case", FIT_ERRORS.values(), ids=FIT_ERRORS)
def test_bad_fits_are_refused_before_the_first_step(case):
    model, data = case[0]()
    before = model.student.get_weights()
    with pytest.raises(ValueError, match=case[1]):
        model.fit(data, verbose=0)
    for old, new in zip(before, model.student.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def unbuilt():
    return keras.Sequential([keras.layers.Dense(3)], name="unbuilt")


def sharing():
    student = linear_model()
    return student, keras.Sequential([student, keras.layers.Softmax()])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: (unbuilt(),), "student must be built.*keras.Input.*unbuilt"),
        (lambda: (linear_model(), unbuilt()), "teacher must be built"),
        (lambda: (linear_model, None), "`student` must be a Keras model"),
        (lambda: (linear_model(), 3), "`teacher` must be a Keras model"),
        (sharing, "must not share weights.*teacher=None"),
    ],
    ids=["student", "teacher", "no model", "no teacher", "sharing"],
)
def test_bad_models_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        NoisyStudentModel(*make())


def batch_of(dtype="float32", scale=1.0):
    images = (scale * IMAGES).astype(dtype)
    parts = {"labeled": images[:2], "unlabeled": images[2:6]}
    return parts, LABELS[:2]


def generator(batch):
    while True:
        yield batch


def loader(batch, **options):
    torch = pytest.importorskip("torch")
    rows = [keras.tree.map_structure(torch.as_tensor, batch)] * 4
    return torch.utils.data.DataLoader(rows, batch_size=None, **options)


@pytest.mark.parametrize("make", [generator, loader])
def test_what_is_read_batch_by_batch_is_looked_at(make):
    model = compiled(linear_model())
    images, labels = batch_of()
    with pytest.raises(ValueError, match="class numbers from 0 to 2"):
        model.fit(make((images, labels + 3)), steps_per_epoch=2, verbose=0)
    with pytest.raises(ValueError, match="mix_labeled_unlabeled"):
        model.fit(make((IMAGES, labels)), steps_per_epoch=2, verbose=0)
    model.fit(make((images, labels)), steps_per_epoch=2, verbose=0)


def test_no_batch_of_a_generator_is_lost():
    batches = [batch_of(scale=scale) for scale in (1.0, 2.0, 3.0)]
    seen = (batch for batch in batches)
    model = compiled(linear_model())
    looked_at = list(check_before_fit(model, seen))
    assert [id(batch) for batch in looked_at] == [id(b) for b in batches]
    # A generator goes on where the one in front of it was left.
    seen = (batch for batch in batches)
    front = check_before_fit(model, seen)
    assert next(front) is batches[0]
    front.close()
    assert next(seen) is batches[1]


def test_a_look_at_a_loader_changes_no_order():
    torch = pytest.importorskip("torch")
    rows = list(range(20))
    torch.manual_seed(3)
    shuffled = torch.utils.data.DataLoader(rows, shuffle=True)
    expected = [int(row) for row in shuffled]
    for own in (None, torch.Generator().manual_seed(3)):
        torch.manual_seed(3)
        again = torch.utils.data.DataLoader(rows, shuffle=True, generator=own)
        assert _first_batch(again)[1] is again
        found = [int(row) for row in again]
        assert own is not None or found == expected
        if own is not None:
            own.manual_seed(3)
            assert found == [int(row) for row in again]
    with_workers = torch.utils.data.DataLoader(rows, num_workers=1)
    assert _first_batch(with_workers)[0] is None
