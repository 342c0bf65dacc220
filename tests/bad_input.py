"""The data, the models and the check of every `test_bad_input.py`.

Each case makes one mistake. The mistake must raise before a train step runs
and before a file is written, with a message that says what was expected and
what was received.
"""

import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (16, 8, 8, 1), "uint8")
FLOATS = (IMAGES / 255).astype("float32")
BROKEN = np.where(np.arange(8)[:, None] == 3, np.nan, FLOATS)
LABELS = np.arange(16) % 3
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
LABELED, UNLABELED = (IMAGES[:8], LABELS[:8]), IMAGES[8:]
RAGGED = [IMAGES[0], IMAGES[1, :6]]
SCORES = np.full((4, 3), 1 / 3, "float32")
NAN = float("nan")
# What lies in the working directory: a file in the way, and broken files.
FILES = {
    "file": b"",
    "truncated/run.json": b'"1f0c',
    "truncated/rand_augment.json": b'{"settings": [[0,',
    "other/run.json": b'"the fingerprint of another run"',
    "folders/labeled/ant/1.jpg": b"no image",
    "folders/labeled/bee/1.ppm": b"P6 2 1 255 " + b"kerasf",
    "folders/test/wasp/1.jpg": b"",
}
# The models that a case has built, with the weights they had.
BUILT = []


def watched(model):
    BUILT.append((model, model.get_weights()))
    return model


def classifier(
    num_classes=3,
    activation="softmax",
    loss="sparse_categorical_crossentropy",
    shape=(8, 8, 1),
    front=(),
    **options,
):
    """A classifier that is compiled, unless there is no loss."""
    model = keras.Sequential(
        [
            keras.Input(shape),
            *front,
            layers.Flatten(name="flat"),
            layers.Dense(num_classes, activation=activation, name="head"),
        ]
    )
    if loss is not None:
        options = {"metrics": ["accuracy"], **options}
        model.compile("sgd", loss, **options)
    return watched(model)


def residual(rate=0.0):
    inputs = keras.Input((8,))
    branch = layers.Dense(8)(inputs)
    if rate:
        branch = layers.Dropout(rate, noise_shape=(None, 1))(branch)
    outputs = layers.Add()([inputs, branch])
    return watched(keras.Model(inputs, layers.Dense(3)(outputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = layers.Dense(3)

    def call(self, inputs):
        return self.head(inputs)


def unbuilt():
    return keras.Sequential([layers.Dense(3)])


def student_model(
    student=None,
    teacher=None,
    method=kfl.models.NoisyStudentModel,
    loss="sparse_categorical_crossentropy",
    **options,
):
    student = student or classifier(loss=None)
    model = method(student, teacher=teacher, **options)
    if loss is not None:
        model.compile("sgd", loss)
    return watched(model)


def fit_mixed(
    labeled=LABELED, unlabeled=UNLABELED, data=None, fit=None, **options
):
    """A fit of a model with a teacher on two streams."""
    if data is None:
        data = mix(labeled, unlabeled)
    student_model(**options).fit(data, verbose=0, **(fit or {}))


def mix(labeled=LABELED, unlabeled=UNLABELED, batch_size=4, **options):
    return kfl.data.mix_labeled_unlabeled(
        labeled, unlabeled, batch_size, **options
    )


def fit_with(callback, model=None, **options):
    options = {"batch_size": 4, "verbose": 0, **options}
    model = model or classifier()
    model.fit(*LABELED, callbacks=[callback], **options)


def tf_data(*parts):
    import tensorflow as tf

    parts = parts[0] if len(parts) == 1 else parts
    return tf.data.Dataset.from_tensor_slices(parts).batch(4)


class Endless(keras.utils.PyDataset):
    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        return IMAGES[:4], LABELS[:4]


def parameters(cases):
    """Returns a list with a test parameter for each case.

    Args:
        cases: Dict. A name for each case, mapped to a part of the message
            and the call that must raise.
    """
    return [
        pytest.param(
            *case,
            id=name,
            marks=[pytest.mark.tensorflow] if "tf.data" in name else [],
        )
        for name, case in cases.items()
    ]


def check_refused(message, do_wrong, folder):
    """Checks that a call raises, and changes neither files nor models."""
    write_files(folder)
    BUILT.clear()
    before = tree(folder)
    # `OSError` where the file system refuses a path.
    errors = ValueError, OSError
    with pytest.raises(errors, match=rf"(?s)({message}).*Received"):
        do_wrong()
    assert tree(folder) == before
    for model, weights in BUILT:
        for weight, first in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(weight, first)
        if model.compiled:
            assert int(model.optimizer.iterations) == 0


def write_files(folder):
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def tree(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
