"""What no part of the package takes, and what it says of it.

Each case does one thing wrong. It must be refused before a train step is run
and before a file is written, with a message that says what was expected and
what was received.
"""

import pathlib

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
LARGE = RNG.integers(0, 256, (4, 32, 32, 1), "uint8")
SCORES = np.full((4, 3), 1 / 3, "float32")
NAN = float("nan")
# What lies in the working directory: a file in the way, and broken ones.
FILES = {
    "file": b"",
    "truncated/run.json": b'"1f0c',
    "truncated/rand_augment/search.json": b'{"settings": [[0,',
    "other/run.json": b'"the fingerprint of another run"',
    "folders/labeled/ant/1.jpg": b"no image",
    "folders/labeled/bee/1.ppm": b"P6 2 1 255 " + b"kerasf",
    "folders/test/wasp/1.jpg": b"",
}
# Models that a case has built, with the weights they had.
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


def halved(x):
    return x / 2


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


def fit_labeler(
    model=None, labeled=LABELED, mixed=True, fit=None, how=None, **options
):
    """A fit with pseudo-labels."""
    labeler = kfl.callbacks.PseudoLabeler(UNLABELED, **options)
    data = labeled
    if mixed:
        data = (labeler.mixed_with(labeled, 4, **(how or {})),)
    model = model or classifier()
    model.fit(*data, callbacks=[labeler], verbose=0, **(fit or {}))


def fit_with(callback, model=None, **options):
    options = {"batch_size": 4, "verbose": 0, **options}
    model = model or classifier()
    model.fit(*LABELED, callbacks=[callback], **options)


def load_folders(labeled="folders/labeled", **options):
    kfl.data.load_image_folders(labeled, **{"verbose": 0, **options})


def noisy_student(
    build=classifier, labeled=LABELED, unlabeled=UNLABELED, **options
):
    short = {"supervised_steps": 1, "student_steps": 1, "steps_per_epoch": 1}
    settings = options.pop("settings", {})
    if isinstance(settings, dict):
        settings = {**short, **settings}
    options = {"backup_dir": "backup", "verbose": 0, **options}
    kfl.loops.fit_noisy_student(
        build, labeled, unlabeled, settings=settings, **options
    )


def standalone(
    model=None,
    names=("a", "b", "c"),
    size=(8, 8),
    value_range=(0, 1),
    **options,
):
    model = classifier() if model is None else model
    return kfl.models.standalone(model, names, size, value_range, **options)


def tune(build=classifier, x=IMAGES, y=LABELS, validation=LABELED, **options):
    options = {"max_trials": 2, "epochs": 1, "directory": "search", **options}
    kfl.loops.tune_rand_augment(build, x, y, validation, **options)


def finetune(*arguments, **options):
    fit_with(kfl.callbacks.FineTune(*arguments, **options))


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


def rand_augment(images=IMAGES, *arguments, **options):
    return kfl.layers.RandAugment(*arguments, **options)(images)


def policy(name, inputs=SCORES, **options):
    context = options.pop("context", {})
    getattr(kfl.policies, name)(**options)(inputs, training=True, **context)


def nested(name, **options):
    threshold = kfl.policies.FixedThreshold()
    policy(name, **{"policy": threshold, **options})


def evaluate(model=None, x=LARGE, y=LABELS[:4], names=("fog",), **options):
    model = model or classifier(shape=(32, 32, 1))
    names = list(names) if isinstance(names, tuple) else names
    kfl.evaluation.evaluate_corruptions(
        model, x, y, names, (1,), verbose=0, **options
    )


def flip_rate(model=None, x=LARGE, **options):
    model = model or classifier(shape=(32, 32, 1))
    options = {"perturbations": ["brightness"], "verbose": 0, **options}
    kfl.evaluation.evaluate_flip_rate(model, x, **options)


def broken_classifier():
    model = classifier(shape=(32, 32, 1))
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    BUILT.clear()
    return watched(model)


def corrupt(x=LARGE, corruption="fog", **options):
    kfl.evaluation.corrupt(x, corruption, **options)


# Name: (expected in the message, what is done wrong).
CASES = {
    # Layers
    "RandAugment: negative count": (
        "`num_ops` must be a whole number",
        lambda: rand_augment(num_ops=-1),
    ),
    "RandAugment: count of another type": (
        "`num_ops` must be a whole number",
        lambda: rand_augment(num_ops="2"),
    ),
    "RandAugment: magnitude of another type": (
        "`magnitude` must be a number",
        lambda: rand_augment(magnitude="10"),
    ),
    "RandAugment: magnitude NaN": (
        "`magnitude` must be a number",
        lambda: rand_augment(magnitude=NAN),
    ),
    "RandAugment: deviation of another type": (
        "`magnitude_std` must be a number",
        lambda: rand_augment(magnitude_std=None),
    ),
    "RandAugment: probability of another type": (
        r"`apply_probability` must be .*in \[0, 1\]",
        lambda: rand_augment(apply_probability="half"),
    ),
    "RandAugment: probability out of range": (
        r"`apply_probability` must be .*in \[0, 1\]",
        lambda: rand_augment(apply_probability=1.5),
    ),
    "RandAugment: one number as range": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(value_range=255),
    ),
    "RandAugment: range in reverse": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(value_range=(255, 0)),
    ),
    "RandAugment: range of text": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(value_range="01"),
    ),
    "RandAugment: infinite range": (
        "`value_range` must be the values of black and white",
        lambda: rand_augment(FLOATS, value_range=(0, float("inf"))),
    ),
    "RandAugment: fill value of another type": (
        "`fill_value` must lie in",
        lambda: rand_augment(fill_value="grey"),
    ),
    "RandAugment: fill value out of range": (
        "`fill_value` must lie in",
        lambda: rand_augment(fill_value=-1),
    ),
    "RandAugment: unknown table": (
        "`table` must be one of",
        lambda: rand_augment(table=["randaugment"]),
    ),
    "RandAugment: unknown op": (
        "`ops` must hold Keras layers, or names",
        lambda: rand_augment(ops=["spin"]),
    ),
    "RandAugment: ops of another type": (
        "`ops` must be a sequence",
        lambda: rand_augment(ops=3),
    ),
    "RandAugment: no ops": (
        "`ops` must be a sequence",
        lambda: rand_augment(ops=[]),
    ),
    "RandAugment: seed of another type": (
        "`seed` must be",
        lambda: rand_augment(seed="7"),
    ),
    "RandAugment: images without an axis": (
        r"shape \(height, width, channels\)",
        lambda: rand_augment(IMAGES[0, :, :, 0]),
    ),
    "RandAugment: images in a list": (
        "needs images",
        lambda: rand_augment(RAGGED),
    ),
    "RandAugment: two channels": (
        "1 or 3 channels",
        lambda: rand_augment(np.zeros((2, 8, 8, 2), "uint8")),
    ),
    "RandAugment: images of ints": (
        "images of uint8 or of floats",
        lambda: rand_augment(IMAGES.astype("int32")),
    ),
    "RandAugment: NaN": (
        "needs finite images",
        lambda: rand_augment(BROKEN, value_range=(0, 1)),
    ),
    "RandAugment: images of another range": (
        "needs images in `value_range`",
        lambda: rand_augment(IMAGES.astype("float32"), value_range=(0, 1)),
    ),
    "RandAugment: dict without images": (
        'changes the "images" of a dict',
        lambda: rand_augment({"image": IMAGES}),
    ),
    "RandAugment: layer that crops": (
        "must keep the shape of the images",
        lambda: rand_augment(ops=[layers.Cropping2D(1)]),
    ),
    "StochasticDepth: rate of 1": (
        "`rate` is the probability",
        lambda: kfl.layers.StochasticDepth(1.0),
    ),
    "StochasticDepth: rate of another type": (
        "`rate` is the probability",
        lambda: kfl.layers.StochasticDepth("0.2"),
    ),
    "StochasticDepth: rate NaN": (
        "`rate` is the probability",
        lambda: kfl.layers.StochasticDepth(NAN),
    ),
    "StochasticDepth: unknown scale": (
        "`scale` names when",
        lambda: kfl.layers.StochasticDepth(scale="test"),
    ),
    "StochasticDepth: seed of another type": (
        "`seed` must be",
        lambda: kfl.layers.StochasticDepth(seed=0.5),
    ),
    "StochasticDepth: other shapes": (
        "of equal shapes",
        lambda: kfl.layers.StochasticDepth()([SCORES, SCORES[:, :2]]),
    ),
    "StochasticDepth: three inputs": (
        "one branch or the pair",
        lambda: kfl.layers.StochasticDepth()([SCORES] * 3),
    ),
    "StochasticDepth: ints": (
        "branch of floats",
        lambda: kfl.layers.StochasticDepth()(IMAGES, training=True),
    ),
    "StochasticResidual: branch of another type": (
        "`branch` must be a Keras layer",
        lambda: kfl.layers.StochasticResidual(lambda x: x),
    ),
    "StochasticResidual: branch of another shape": (
        "must keep the shape of its input",
        lambda: kfl.layers.StochasticResidual(layers.Dense(2))(SCORES),
    ),
    "StochasticResidual: rate below 0": (
        "`rate` is the probability",
        lambda: kfl.layers.StochasticResidual(layers.Dense(3), -0.1),
    ),
    "StochasticResidual: seed of another type": (
        "`seed` must be",
        lambda: kfl.layers.StochasticResidual(layers.Dense(3), seed="7"),
    ),
    # Policies
    "FixedThreshold: above 1": (
        "`threshold` is a probability",
        lambda: policy("FixedThreshold", threshold=95),
    ),
    "FixedThreshold: another type": (
        "`threshold` is a probability",
        lambda: policy("FixedThreshold", threshold="0.95"),
    ),
    "FixedThreshold: temperature 0": (
        "`temperature` must be positive",
        lambda: policy("FixedThreshold", temperature=0),
    ),
    "FixedThreshold: temperature of another type": (
        "`temperature` must be positive",
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
        "`policy` must be a Keras layer",
        lambda: nested("DistributionAlignment", policy=0.95),
    ),
    "DebiasedPolicy: negative strength": (
        "`strength` must not be negative",
        lambda: nested("DebiasedPolicy", strength=-1),
    ),
    "DebiasedPolicy: strength of another type": (
        "`strength` must not be negative",
        lambda: nested("DebiasedPolicy", strength="0.4"),
    ),
    "DebiasedPolicy: policy of another type": (
        "`policy` must be a Keras layer",
        lambda: nested("DebiasedPolicy", policy=None),
    ),
    "FlexMatchPolicy: no images": (
        "`num_unlabeled` is the number",
        lambda: policy("FlexMatchPolicy", num_unlabeled=0),
    ),
    "FlexMatchPolicy: number of another type": (
        "`num_unlabeled` is the number",
        lambda: policy("FlexMatchPolicy", num_unlabeled=7.5),
    ),
    "FlexMatchPolicy: threshold of another type": (
        "`threshold` is a probability",
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
        "`n_sigma` must be positive",
        lambda: policy("SoftMatchPolicy", n_sigma=0),
    ),
    "SoftMatchPolicy: width of another type": (
        "`n_sigma` must be positive",
        lambda: policy("SoftMatchPolicy", n_sigma="2"),
    ),
    "AdaMatchPolicy: threshold NaN": (
        "`threshold` is a part",
        lambda: policy("AdaMatchPolicy", threshold=NAN),
    ),
    "AdaMatchPolicy: threshold of another type": (
        "`threshold` is a part",
        lambda: policy("AdaMatchPolicy", threshold="0.9"),
    ),
    "AdaMatchPolicy: without labelled images": (
        "needs `labeled_probabilities`",
        lambda: policy("AdaMatchPolicy"),
    ),
    "TopPerClass: none": (
        "`num_per_class` must be a positive number",
        lambda: policy("TopPerClass", num_per_class=0),
    ),
    # Data
    "split_labels: no labels": (
        "at least one labelled and one unlabelled",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 0),
    ),
    "split_labels: share instead of a number": (
        "`num_labeled` must be an int",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 4.5),
    ),
    "split_labels: more than there are": (
        "must not exceed the number of images",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 8, 9),
    ),
    "split_labels: fewer than classes": (
        "at least one label per class",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 2),
    ),
    "split_labels: negative seed": (
        "`seed` must be",
        lambda: kfl.data.split_labels(IMAGES, LABELS, 4, seed=-1),
    ),
    "split_labels: images without channels": (
        "`x` must have shape",
        lambda: kfl.data.split_labels(IMAGES[..., 0], LABELS, 4),
    ),
    "split_labels: empty": (
        "at least one image",
        lambda: kfl.data.split_labels(IMAGES[:0], LABELS[:0], 4),
    ),
    "split_labels: images of several sizes": (
        "`x` must .*one size",
        lambda: kfl.data.split_labels(RAGGED, [0, 1], 1),
    ),
    "split_labels: images of text": (
        "`x` must hold numbers",
        lambda: kfl.data.split_labels(IMAGES.astype(str), LABELS, 4),
    ),
    "split_labels: labels of text": (
        "`y` must hold whole class numbers",
        lambda: kfl.data.split_labels(IMAGES, LABELS.astype(str), 4),
    ),
    "split_labels: negative labels": (
        "`y` must hold class numbers from 0 or more",
        lambda: kfl.data.split_labels(IMAGES, LABELS - 1, 4),
    ),
    "split_labels: infinite labels": (
        "`y` must hold whole class numbers",
        lambda: kfl.data.split_labels(
            IMAGES, np.where(LABELS == 1, np.inf, LABELS), 4
        ),
    ),
    "split_labels: labels of other images": (
        "one label per image",
        lambda: kfl.data.split_labels(IMAGES, LABELS[:9], 4),
    ),
    "load_image_folders: folder that is not there": (
        "`labeled` must be the path of a folder that exists",
        lambda: load_folders("missing"),
    ),
    "load_image_folders: file instead of a folder": (
        "`unlabeled` must be the path of a folder that exists",
        lambda: load_folders(unlabeled="file"),
    ),
    "load_image_folders: images instead of a folder": (
        "`unlabeled` must be the path of a folder that exists",
        lambda: load_folders(unlabeled=IMAGES),
    ),
    "load_image_folders: the same folder twice": (
        "must have a folder of its own",
        lambda: load_folders(unlabeled="folders/../folders/labeled"),
    ),
    "load_image_folders: folder within another": (
        "must have a folder of its own",
        lambda: load_folders(test="folders/labeled/bee"),
    ),
    "load_image_folders: no folder per class": (
        "`labeled` must hold a folder for each class",
        lambda: load_folders("folders/labeled/bee"),
    ),
    "load_image_folders: class that labelled images lack": (
        "folder in `test` must be named as one in `labeled`",
        lambda: load_folders(test="folders/test"),
    ),
    "load_image_folders: class without images": (
        "Each class needs at least one labelled image",
        lambda: load_folders(),
    ),
    "load_image_folders: size of another type": (
        "`image_size` must be an int",
        lambda: load_folders(image_size="large"),
    ),
    "load_image_folders: three sizes": (
        r"`image_size` must be an int, or a pair of ints \(height, width\)",
        lambda: load_folders(image_size=(8, 8, 3)),
    ),
    "load_image_folders: colours that are not read": (
        "`color_mode` must be one of",
        lambda: load_folders(color_mode="rgba"),
    ),
    "load_image_folders: split that leaves nothing": (
        "`validation_split` must be a fraction of at most 0.5",
        lambda: load_folders(validation_split=1.0),
    ),
    "load_image_folders: split beside a folder": (
        "either a folder `validation` or a `validation_split`",
        lambda: load_folders(validation="folders/test", validation_split=0.2),
    ),
    "load_image_folders: negative seed": (
        "`seed` must be",
        lambda: load_folders(seed=-1),
    ),
    "load_image_folders: negative cache": (
        "`cache_bytes` must be an int, 0 or more",
        lambda: load_folders(cache_bytes=-1),
    ),
    "ImageFiles: no files": (
        "needs at least one file",
        lambda: kfl.data.ImageFiles([], 8),
    ),
    "ImageFiles: no size": (
        "`image_size` must be an int",
        lambda: kfl.data.ImageFiles(["file"], None),
    ),
    "ImageFiles: colours that are not read": (
        "`color_mode` must be one of",
        lambda: kfl.data.ImageFiles(["file"], 8, "bgr"),
    ),
    "ImageFiles: file that is no image": (
        "must be an image that Pillow can read",
        lambda: kfl.data.ImageFiles(["file"], 8)[:1],
    ),
    "ImageFiles: size of other images": (
        "same height, width and channels",
        lambda: mix(unlabeled=kfl.data.ImageFiles(["file"], 8)),
    ),
    "ImageFiles: one path": (
        "`paths` must be a sequence of paths",
        lambda: kfl.data.ImageFiles("file", 8),
    ),
    "mix: labelled images without labels": (
        r"`labeled` must be a pair \(images, labels\)",
        lambda: mix(labeled=IMAGES),
    ),
    "mix: labels of other images": (
        "one label per image",
        lambda: mix((IMAGES, LABELS[:3])),
    ),
    "mix: rows that do not sum to 1": (
        "not negative and sum to 1",
        lambda: mix((IMAGES, 2 * ONE_HOT)),
    ),
    "mix: labelled images of several sizes": (
        "`labeled` must .*one size",
        lambda: mix((RAGGED, [0, 1])),
    ),
    "mix: unlabelled images with labels": (
        "`unlabeled` must be images alone",
        lambda: mix(unlabeled=LABELED),
    ),
    "mix: unlabelled images of another size": (
        "same height, width and channels",
        lambda: mix(unlabeled=UNLABELED[:, :6]),
    ),
    "mix: unlabelled images of another type": (
        "must have the same dtype",
        lambda: mix(unlabeled=FLOATS),
    ),
    "mix: NaN": (
        "`unlabeled` must hold finite numbers",
        lambda: mix(unlabeled=BROKEN),
    ),
    "mix: nothing unlabelled": (
        "`unlabeled` must hold at least one image",
        lambda: mix(unlabeled=UNLABELED[:0]),
    ),
    "mix: path of a folder": (
        "`unlabeled` must be images",
        lambda: mix(unlabeled="folder"),
    ),
    "mix: batch size of another type": (
        "`batch_size` must be an int",
        lambda: mix(batch_size=4.5),
    ),
    "mix: ratio of 0": (
        "at least one labelled and one unlabelled",
        lambda: mix(unlabeled_ratio=0),
    ),
    "mix: ratio NaN": (
        "`unlabeled_ratio` must be",
        lambda: mix(unlabeled_ratio=NAN),
    ),
    "mix: ratio of another type": (
        "`unlabeled_ratio` must be",
        lambda: mix(unlabeled_ratio="7"),
    ),
    "mix: seed of another type": (
        "`seed` must be",
        lambda: mix(seed="7"),
    ),
    "mix: truth of other images": (
        "one class number per unlabelled image",
        lambda: mix(truth=[0, 1]),
    ),
    "mix: truth of text": (
        "`truth` must hold whole class numbers",
        lambda: mix(truth=["cat"] * 8),
    ),
    "mix: truth of fractions": (
        "`truth` must hold whole class numbers",
        lambda: mix(truth=np.full(8, 0.5)),
    ),
    "mix: negative sample weights": (
        "must be finite and not negative",
        lambda: mix((*LABELED, -np.ones(8))),
    ),
    "mix: infinite labelled tf.data": (
        r"Remove `.repeat\(\)` from `labeled`",
        lambda: mix(tf_data(*LABELED).repeat()),
    ),
    "mix: infinite unlabelled tf.data": (
        r"Remove `.repeat\(\)` from `unlabeled`",
        lambda: mix(unlabeled=tf_data(UNLABELED).repeat()),
    ),
    "mix: unlabelled tf.data with labels": (
        "must give images alone",
        lambda: mix(unlabeled=tf_data(*LABELED)),
    ),
    "mix: empty tf.data": (
        "`unlabeled` must hold at least one image",
        lambda: mix(unlabeled=tf_data(UNLABELED).take(0)),
    ),
    "mix: tf.data of images of another size": (
        "same height, width and channels",
        lambda: mix(unlabeled=tf_data(UNLABELED[:, :6])),
    ),
    "mix: endless PyDataset, read by tf.data": (
        "must end",
        lambda: mix(Endless()),
    ),
    # Callbacks
    "PseudoLabeler: path of a folder": (
        "must be images, not where they are",
        lambda: kfl.callbacks.PseudoLabeler("folder"),
    ),
    "PseudoLabeler: images with labels": (
        "`unlabeled` must be images alone",
        lambda: kfl.callbacks.PseudoLabeler(LABELED),
    ),
    "PseudoLabeler: infinite tf.data": (
        "must end",
        lambda: kfl.callbacks.PseudoLabeler(tf_data(UNLABELED).repeat()),
    ),
    "PseudoLabeler: tf.data in random order": (
        "in the same order in every pass",
        lambda: kfl.callbacks.PseudoLabeler(tf_data(UNLABELED).shuffle(9)),
    ),
    "PseudoLabeler: policy of another type": (
        "`policy` must be a Keras layer",
        lambda: fit_labeler(policy=0.95),
    ),
    "PseudoLabeler: teacher of another type": (
        "`teacher` must be a Keras model",
        lambda: fit_labeler(teacher="model.keras"),
    ),
    "PseudoLabeler: unknown balance": (
        "`balance` must be None",
        lambda: fit_labeler(balance="oversample"),
    ),
    "PseudoLabeler: every 0 epochs": (
        "`every` must be an int, 1 or more",
        lambda: fit_labeler(every=0),
    ),
    "PseudoLabeler: negative start": (
        "`start` must be an int, 0 or more",
        lambda: fit_labeler(start=-1),
    ),
    "PseudoLabeler: curriculum NaN": (
        "`curriculum` is the share",
        lambda: fit_labeler(curriculum=NAN),
    ),
    "PseudoLabeler: no rounds": (
        "`max_rounds` must be an int, 1 or more",
        lambda: fit_labeler(max_rounds=0),
    ),
    "PseudoLabeler: seed of another type": (
        "`seed` must be",
        lambda: fit_labeler(seed="7"),
    ),
    "PseudoLabeler: veto of no image": (
        "`veto` must be a veto file, or a sequence of numbers",
        lambda: kfl.callbacks.PseudoLabeler(UNLABELED, veto=[8]),
    ),
    "PseudoLabeler: no veto file": (
        "`veto` must be a CSV file",
        lambda: kfl.callbacks.PseudoLabeler(UNLABELED, veto="none.csv"),
    ),
    "without_vetoed: nothing left": (
        "At least one image must be left",
        lambda: kfl.data.without_vetoed(UNLABELED, range(8)),
    ),
    "without_vetoed: path of images": (
        "must be images, not where they are",
        lambda: kfl.data.without_vetoed("folder", [0]),
    ),
    "read_veto: numbers of floats": (
        "`veto` must be a veto file, or a sequence of numbers",
        lambda: kfl.data.read_veto([0.5], UNLABELED),
    ),
    "read_new_labels: another file": (
        "must have a row per image",
        lambda: kfl.data.read_new_labels("truncated/run.json", UNLABELED),
    ),
    "PseudoLabeler: truth of other images": (
        "`truth` must have one label per image",
        lambda: fit_labeler(truth=[0, 1]),
    ),
    "PseudoLabeler: file in the way of the cache": (
        "`cache_dir` must be a folder",
        lambda: fit_labeler(cache_dir="file"),
    ),
    "PseudoLabeler: cache of another type": (
        "`cache_dir` must be a folder",
        lambda: fit_labeler(cache_dir=3),
    ),
    "PseudoLabeler: fit on the labels alone": (
        r"Fit on `labeler.mixed_with\(labeled\)`",
        lambda: fit_labeler(mixed=False),
    ),
    "PseudoLabeler: other steps per epoch": (
        "Fit on what `mixed_with` returns",
        lambda: fit_labeler(fit={"steps_per_epoch": 1}),
    ),
    "PseudoLabeler: no steps per epoch": (
        "`steps_per_epoch` must be a positive int",
        lambda: fit_labeler(how={"steps_per_epoch": 0}),
    ),
    "PseudoLabeler: labelled images alone": (
        r"`labeled` must be a pair \(images, labels\)",
        lambda: fit_labeler(labeled=IMAGES),
    ),
    "PseudoLabeler: labelled None": (
        r"`labeled` must be a pair \(images, labels\)",
        lambda: fit_labeler(labeled=None),
    ),
    "PseudoLabeler: model of logits": (
        "activation='softmax'",
        lambda: fit_labeler(classifier(activation=None)),
    ),
    "PseudoLabeler: loss of no classes": (
        "must be a categorical cross-entropy",
        lambda: fit_labeler(
            classifier(loss="mse"), labeled=(IMAGES[:8], ONE_HOT[:8])
        ),
    ),
    "PseudoLabeler: teacher of other classes": (
        "must have the same classes",
        lambda: fit_labeler(teacher=classifier(4)),
    ),
    "PseudoLabeler: teacher of other images": (
        "The teacher must take the images",
        lambda: fit_labeler(teacher=classifier(shape=(6, 6, 1))),
    ),
    "PseudoLabeler: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: fit_labeler(labeled=(IMAGES[:8], LABELS[:8] + 1)),
    ),
    "PseudoLabeler: soft labels beside class numbers": (
        "Soft pseudo-labels need one-hot true labels",
        lambda: fit_labeler(policy=kfl.policies.FixedThreshold(soft=True)),
    ),
    "FineTune: unknown backbone": (
        "must be a layer of the model in training",
        lambda: finetune("resnet"),
    ),
    "FineTune: backbone of another type": (
        "must be a layer of the model in training",
        lambda: finetune(3),
    ),
    "FineTune: empty schedule": (
        "`schedule` says from which epoch on",
        lambda: finetune("flat", {}),
    ),
    "FineTune: list as schedule": (
        "`schedule` says from which epoch on",
        lambda: finetune("flat", [0, 5]),
    ),
    "FineTune: negative epoch": (
        "integers counted from 0",
        lambda: finetune("flat", {-1: "all"}),
    ),
    "FineTune: fraction of an epoch": (
        "integers counted from 0",
        lambda: finetune("flat", {0.5: "all"}),
    ),
    "FineTune: negative count of layers": (
        "A stage of `schedule` is a count",
        lambda: finetune("flat", {0: -2}),
    ),
    "FineTune: more layers than there are": (
        "asks for 9 layers",
        lambda: finetune("head", {0: 9}),
    ),
    "FineTune: unknown layer": (
        "has no layer of this name",
        lambda: finetune("head", {0: ["block5"]}),
    ),
    "FineTune: nothing trains": (
        "Nothing in the model trains",
        lambda: finetune("head", {0: 0}),
    ),
    "FineTune: learning rate of 0": (
        "maps an epoch to a float above 0",
        lambda: finetune("head", learning_rates={0: 0}),
    ),
    "FineTune: learning rate NaN": (
        "maps an epoch to a float above 0",
        lambda: finetune("head", learning_rates={0: NAN}),
    ),
    "FineTune: infinite learning rate": (
        "maps an epoch to a float above 0",
        lambda: finetune("head", learning_rates={0: float("inf")}),
    ),
    "FineTune: one learning rate": (
        "`learning_rates` maps an epoch",
        lambda: finetune("head", learning_rates=1e-3),
    ),
    "FineTune: layer decay of 2": (
        "`layer_decay` is the learning rate of a block",
        lambda: finetune("head", layer_decay=2),
    ),
    "FineTune: model not compiled": (
        r"Call `compile\(\)` before `fit\(\)`",
        lambda: kfl.callbacks.FineTune("head").set_model(classifier(loss=None)),
    ),
    "LearningRateFinder: rates in reverse": (
        "`min_rate` must be above 0 and below `max_rate`",
        lambda: kfl.callbacks.LearningRateFinder(1.0, 1e-6),
    ),
    "LearningRateFinder: rate of another type": (
        "`min_rate` must be above 0 and below `max_rate`",
        lambda: kfl.callbacks.LearningRateFinder("1e-6"),
    ),
    "LearningRateFinder: too few steps": (
        "`num_steps` must be an int, 10 or more",
        lambda: kfl.callbacks.LearningRateFinder(num_steps=9),
    ),
    "LearningRateFinder: smoothing of another type": (
        "`smoothing` must be at least 0",
        lambda: kfl.callbacks.LearningRateFinder(smoothing="0.9"),
    ),
    "LearningRateFinder: divergence NaN": (
        "`divergence` must be above 1",
        lambda: kfl.callbacks.LearningRateFinder(divergence=NAN),
    ),
    "LearningRateFinder: divergence of another type": (
        "`divergence` must be above 1",
        lambda: kfl.callbacks.LearningRateFinder(divergence=None),
    ),
    "LearningRateFinder: too short a fit": (
        "The test needs 100 batches",
        lambda: fit_with(kfl.callbacks.LearningRateFinder()),
    ),
    "LearningRateFinder: several steps at once": (
        # Keras itself refuses it on torch.
        "must change with each batch|must be 1 with the PyTorch backend",
        lambda: fit_with(
            kfl.callbacks.LearningRateFinder(),
            classifier(steps_per_execution=2),
        ),
    ),
    "ExactBackup: no folder": (
        "`backup_dir` must be a folder",
        lambda: fit_with(kfl.callbacks.ExactBackup("")),
    ),
    "ExactBackup: within epochs": (
        "`save_freq` must be 'epoch'",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", 100)),
    ),
    "ExactBackup: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", seed=-1)),
    ),
    "ExactBackup: batches without an order": (
        "`batches` must have a `begin_epoch",
        lambda: fit_with(kfl.callbacks.ExactBackup("backup", batches=LABELED)),
    ),
    "ExactBackup: data whose order cannot be repeated": (
        "The order of the data cannot be repeated",
        lambda: fit_mixed(
            data=mix(unlabeled=tf_data(UNLABELED)).map(lambda *batch: batch),
            fit={"callbacks": [kfl.callbacks.ExactBackup("backup")]},
        ),
    ),
    "SeedEpochs: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.SeedEpochs(-1)),
    ),
    "SeedEpochs: seed of another type": (
        "`seed` must be an int, 0 or more",
        lambda: fit_with(kfl.callbacks.SeedEpochs(None)),
    ),
    "SeedEpochs: batches without a seed": (
        "`batches` must have a `begin_epoch",
        lambda: fit_with(kfl.callbacks.SeedEpochs(0, LABELED)),
    ),
    # Models
    "NoisyStudentModel: student of another type": (
        "The student must be a Keras model",
        lambda: kfl.models.NoisyStudentModel("resnet"),
    ),
    "NoisyStudentModel: student not built": (
        "The student must be built",
        lambda: kfl.models.NoisyStudentModel(unbuilt()),
    ),
    "NoisyStudentModel: teacher of another type": (
        "The teacher must be a Keras model",
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
        "`policy` must be a Keras layer",
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
        r"`labeled_noise` must be a Keras layer.*or \"weak\"",
        lambda: fit_mixed(labeled_noise="strong"),
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
            classifier(), kfl.policies.FixedThreshold()
        ),
    ),
    "FreeMatch: weight of another type": (
        "`fairness_weight` must be a number",
        lambda: kfl.models.FreeMatch(classifier(), fairness_weight=None),
    ),
    "NoisyStudent: teacher of another type": (
        "The teacher must be a Keras model",
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
    "standalone: subclassed model": (
        "functional or `Sequential` model that is built",
        lambda: standalone(Subclassed()),
    ),
    "standalone: model that is not built": (
        "functional or `Sequential` model that is built",
        lambda: standalone(unbuilt()),
    ),
    "standalone: a path": (
        "functional or `Sequential` model that is built",
        lambda: standalone("model.keras"),
    ),
    "standalone: vectors instead of images": (
        "one input, images of shape",
        lambda: standalone(residual()),
    ),
    "standalone: names of other classes": (
        "must name each output",
        lambda: standalone(names=["a", "b"]),
    ),
    "standalone: names in a string": (
        "`class_names` must be a list of strings",
        lambda: standalone(names="abc"),
    ),
    "standalone: the same name twice": (
        "all different",
        lambda: standalone(names=["a", "b", "a"]),
    ),
    "standalone: size of other images": (
        "must be that of the classifier",
        lambda: standalone(size=(16, 16)),
    ),
    "standalone: size of no image": (
        "`image_size` must be an int, 1 or more",
        lambda: standalone(size=(0, 8)),
    ),
    "standalone: black above white": (
        "`value_range` must be",
        lambda: standalone(value_range=(1, 0)),
    ),
    "standalone: no teacher": (
        "needs a `NoisyStudentModel` that has a teacher",
        lambda: standalone(student_model(), which="teacher"),
    ),
    "standalone: neither student nor teacher": (
        '`which` must be "student" or "teacher"',
        lambda: standalone(which="best"),
    ),
    "standalone: logits said to be probabilities": (
        "needs outputs that are probabilities",
        lambda: standalone(
            classifier(activation=None, loss=None), from_logits=False
        ),
    ),
    "standalone: from_logits of another type": (
        "`from_logits` must be",
        lambda: standalone(from_logits="yes"),
    ),
    "standalone: one class or another": (
        "end it with a softmax",
        lambda: standalone(classifier(activation="sigmoid", loss=None)),
    ),
    "standalone: code inside": (
        "has code inside",
        lambda: standalone(classifier(front=[layers.Lambda(abs)])),
    ),
    "standalone: a function of one's own": (
        "has code inside",
        lambda: standalone(classifier(activation=halved)),
    ),
    "standalone: layer that Keras does not know": (
        "parts that Keras alone cannot load",
        lambda: standalone(
            classifier(
                front=[layers.TimeDistributed(kfl.layers.StochasticDepth())]
            )
        ),
    ),
    "standalone: packages in a string": (
        "`packages` must be a list",
        lambda: standalone(packages="keras_hub"),
    ),
    "export_standalone: model without names": (
        "`models.standalone` made it",
        lambda: kfl.models.export_standalone(classifier(), "out", IMAGES),
    ),
    "export_standalone: images of other channels": (
        "`sample` must be",
        lambda: kfl.models.export_standalone(
            standalone(), "out", IMAGES[..., 0]
        ),
    ),
    "export_standalone: no images": (
        "`sample` must be",
        lambda: kfl.models.export_standalone(standalone(), "out", IMAGES[:0]),
    ),
    "export_standalone: unknown format": (
        "`formats` must be",
        lambda: kfl.models.export_standalone(
            standalone(), "out", IMAGES, ["onxx"]
        ),
    ),
    "export_standalone: formats in a string": (
        "`formats` must be",
        lambda: kfl.models.export_standalone(
            standalone(), "out", IMAGES, "onnx"
        ),
    ),
    "TensorBoardImages: nothing to show": (
        "There must be images to show",
        lambda: kfl.callbacks.TensorBoardImages("logs"),
    ),
    "TensorBoardImages: images without labels": (
        "`labeled` must be a pair",
        lambda: kfl.callbacks.TensorBoardImages("logs", IMAGES),
    ),
    "TensorBoardImages: truth of other images": (
        "one class number per unlabelled image",
        lambda: kfl.callbacks.TensorBoardImages(
            "logs", unlabeled=IMAGES, truth=LABELS[:3]
        ),
    ),
    "TensorBoardImages: truth of no images": (
        "`truth` belongs to `unlabeled`",
        lambda: kfl.callbacks.TensorBoardImages("logs", LABELED, truth=LABELS),
    ),
    "TensorBoardImages: a function to augment": (
        "`augment` must be a Keras layer",
        lambda: kfl.callbacks.TensorBoardImages("logs", LABELED, augment=abs),
    ),
    "TensorBoardImages: names of fewer classes": (
        "a string for each class",
        lambda: kfl.callbacks.TensorBoardImages(
            "logs", LABELED, class_names=["a"]
        ),
    ),
    "TensorBoardImages: every 0 epochs": (
        "`every` must be an int",
        lambda: kfl.callbacks.TensorBoardImages("logs", LABELED, every=0),
    ),
    "TensorBoardEmbeddings: labels of other images": (
        "one label per image",
        lambda: kfl.callbacks.TensorBoardEmbeddings("logs", IMAGES, [0]),
    ),
    "TensorBoardEmbeddings: vectors": (
        "`x` must have shape",
        lambda: kfl.callbacks.TensorBoardEmbeddings("logs", SCORES),
    ),
    "TensorBoardEmbeddings: unknown layer": (
        "`layer` must be the name of a layer",
        lambda: fit_with(
            kfl.callbacks.TensorBoardEmbeddings("logs", IMAGES, layer="?")
        ),
    ),
    "TensorBoardEmbeddings: no images": (
        "`num_images` must be an int",
        lambda: kfl.callbacks.TensorBoardEmbeddings(
            "logs", IMAGES, num_images=0
        ),
    ),
    "predict_image: model without names": (
        "`models.standalone` made it",
        lambda: kfl.models.predict_image(classifier(), IMAGES[0]),
    ),
    "predict_image: a batch": (
        "`image` must be the path",
        lambda: kfl.models.predict_image(standalone(), IMAGES),
    ),
    "predict_image: no classes": (
        "`top` must be an int",
        lambda: kfl.models.predict_image(standalone(), IMAGES[0], top=0),
    ),
    "class_names_of: model without names": (
        "`models.standalone` made it",
        lambda: kfl.models.class_names_of(classifier()),
    ),
    "class_names_of: no model": (
        "path of a .keras",
        lambda: kfl.models.class_names_of("file"),
    ),
    "add_stochastic_depth: subclassed model": (
        "Only a functional or `Sequential` model",
        lambda: kfl.models.add_stochastic_depth(Subclassed()),
    ),
    "add_stochastic_depth: another type": (
        "Only a functional or `Sequential` model",
        lambda: kfl.models.add_stochastic_depth(None),
    ),
    "add_stochastic_depth: no branches": (
        "no addition of a residual branch",
        lambda: kfl.models.add_stochastic_depth(classifier()),
    ),
    "add_stochastic_depth: branches dropped already": (
        "drops branches already",
        lambda: kfl.models.add_stochastic_depth(residual(rate=0.2)),
    ),
    "add_stochastic_depth: rate of 1": (
        "`final_rate` is the probability",
        lambda: kfl.models.add_stochastic_depth(residual(), 1.0),
    ),
    "add_stochastic_depth: seed of another type": (
        "`seed` must be",
        lambda: kfl.models.add_stochastic_depth(residual(), seed="7"),
    ),
    "linear_rates: negative count": (
        "`num_blocks` is a count",
        lambda: kfl.models.linear_rates(-1),
    ),
    # Loops
    "fit_noisy_student: builder of another type": (
        "`build_student` must be a function",
        lambda: noisy_student("resnet"),
    ),
    "fit_noisy_student: builder returns None": (
        "must return a built Keras model",
        lambda: noisy_student(lambda: None),
    ),
    "fit_noisy_student: class missing among the labels": (
        "needs at least one labelled image",
        lambda: noisy_student(labeled=(IMAGES[:8], LABELS[:8] % 2)),
    ),
    "fit_noisy_student: label outside the classes": (
        "class numbers from 0 to 2",
        lambda: noisy_student(labeled=(IMAGES[:8], LABELS[:8] + 1)),
    ),
    "fit_noisy_student: labels alone": (
        r"must be a pair \(images, labels\)",
        lambda: noisy_student(labeled=LABELS),
    ),
    "fit_noisy_student: images of several sizes": (
        "`labeled` must .*one size",
        lambda: noisy_student(labeled=(RAGGED, [0, 1])),
    ),
    "fit_noisy_student: unlabelled images with labels": (
        "`unlabeled` must be images alone",
        lambda: noisy_student(unlabeled=LABELED),
    ),
    "fit_noisy_student: unlabelled images of another type": (
        "must have the same dtype",
        lambda: noisy_student(unlabeled=FLOATS),
    ),
    "fit_noisy_student: infinite unlabelled tf.data": (
        "must end",
        lambda: noisy_student(unlabeled=tf_data(UNLABELED).repeat()),
    ),
    "fit_noisy_student: infinite labelled tf.data": (
        "must end",
        lambda: noisy_student(labeled=tf_data(*LABELED).repeat()),
    ),
    "fit_noisy_student: endless PyDataset": (
        "must end",
        lambda: noisy_student(labeled=Endless()),
    ),
    "fit_noisy_student: NaN": (
        "`unlabeled` must hold finite numbers",
        lambda: noisy_student(
            labeled=(FLOATS[:8], LABELS[:8]), unlabeled=BROKEN[8:]
        ),
    ),
    "fit_noisy_student: images scaled twice": (
        "they are scaled already",
        lambda: noisy_student(
            lambda: classifier(front=[layers.Rescaling(1 / 255)]),
            (FLOATS[:8], LABELS[:8]),
            FLOATS[8:],
        ),
    ),
    "fit_noisy_student: model of logits": (
        "activation='softmax'",
        lambda: noisy_student(lambda: classifier(activation=None)),
    ),
    "fit_noisy_student: model of other images": (
        "The model must take the images as they are",
        lambda: noisy_student(lambda: classifier(shape=(6, 6, 1))),
    ),
    "fit_noisy_student: generations of another type": (
        "`generations` must be an int",
        lambda: noisy_student(generations="2"),
    ),
    "fit_noisy_student: half a generation": (
        "`generations` must be an int",
        lambda: noisy_student(generations=1.5),
    ),
    "fit_noisy_student: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: noisy_student(seed=-1),
    ),
    "fit_noisy_student: seed of another type": (
        "`seed` must be an int, 0 or more",
        lambda: noisy_student(seed=None),
    ),
    "fit_noisy_student: settings of another type": (
        "`settings` must be a dict",
        lambda: noisy_student(settings="fast"),
    ),
    "fit_noisy_student: unknown setting": (
        "`settings` may have",
        lambda: noisy_student(settings={"epochs": 3}),
    ),
    "fit_noisy_student: setting NaN": (
        "'learning_rate' must be a positive number",
        lambda: noisy_student(settings={"learning_rate": NAN}),
    ),
    "fit_noisy_student: unknown op": (
        "`ops` must hold Keras layers, or names",
        lambda: noisy_student(settings={"ops": ["spin"]}),
    ),
    "fit_noisy_student: fill value out of range": (
        "`fill_value` must lie in",
        lambda: noisy_student(settings={"fill_value": 256}),
    ),
    "fit_noisy_student: no branches to drop": (
        "no addition of a residual branch",
        lambda: noisy_student(settings={"stochastic_depth": 0.2}),
    ),
    "fit_noisy_student: range in reverse": (
        "`value_range` must be the values of black and white",
        lambda: noisy_student(value_range=(255, 0)),
    ),
    "fit_noisy_student: one number as range": (
        "`value_range` must be the values of black and white",
        lambda: noisy_student(value_range=255),
    ),
    "fit_noisy_student: range NaN": (
        "`value_range` must be the values of black and white",
        lambda: noisy_student(value_range=(0, NAN)),
    ),
    "fit_noisy_student: policy of another type": (
        "`policy` must be a Keras layer",
        lambda: noisy_student(policy=0.95),
    ),
    "fit_noisy_student: noise of another type": (
        "`noise` must be a Keras layer",
        lambda: noisy_student(noise=lambda images: images),
    ),
    "fit_noisy_student: callbacks of another type": (
        "`callbacks` must be",
        lambda: noisy_student(callbacks=["csv"]),
    ),
    "fit_noisy_student: test images of another type": (
        "`test_data` must hold images like the labelled ones",
        lambda: noisy_student(test_data=(FLOATS, LABELS)),
    ),
    "fit_noisy_student: validation images without labels": (
        r"`validation_data` must be a pair \(images, labels\)",
        lambda: noisy_student(validation_data=IMAGES),
    ),
    "fit_noisy_student: truth of text": (
        "`truth` must hold whole class numbers",
        lambda: noisy_student(truth=["cat"] * 8),
    ),
    "fit_noisy_student: truth outside the classes": (
        "`truth` must hold class numbers from 0 to 2",
        lambda: noisy_student(truth=np.full(8, 3)),
    ),
    "fit_noisy_student: names of other classes": (
        "`class_names` must name each of the 3 classes",
        lambda: noisy_student(class_names=["cat", "dog"]),
    ),
    "fit_noisy_student: file in the way of the backup": (
        "`backup_dir` must be a folder",
        lambda: noisy_student(backup_dir="file"),
    ),
    "fit_noisy_student: backup of another type": (
        "`backup_dir` must be a folder",
        lambda: noisy_student(backup_dir=3),
    ),
    "fit_noisy_student: backup of another run": (
        "holds the backup of a run with other",
        lambda: noisy_student(backup_dir="other"),
    ),
    "fit_noisy_student: truncated backup": (
        "run.json.* is damaged",
        lambda: noisy_student(backup_dir="truncated"),
    ),
    "recommend: model not built": (
        "must return a built Keras model",
        lambda: kfl.loops.recommend(unbuilt, LABELED, UNLABELED),
    ),
    "recommend: unknown range": (
        "What is black and what is white",
        lambda: kfl.loops.recommend(
            classifier, (FLOATS[:8] * 999, LABELS[:8]), FLOATS[8:] * 999
        ),
    ),
    "recommend: model of one score per pixel": (
        "one row of class scores per image",
        lambda: kfl.loops.recommend(
            lambda: keras.Sequential([keras.Input((8, 8, 1)), layers.Dense(3)]),
            LABELED,
            UNLABELED,
        ),
    ),
    "fit_head: not compiled": (
        r"Call `compile\(\)` first",
        lambda: kfl.loops.fit_head(classifier(loss=None), "flat", *LABELED),
    ),
    "fit_head: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.fit_head("resnet", "flat", *LABELED),
    ),
    "fit_head: unknown backbone": (
        "must be a layer of the model",
        lambda: kfl.loops.fit_head(classifier(), "resnet", *LABELED),
    ),
    "fit_head: labels of other images": (
        "one label per image",
        lambda: kfl.loops.fit_head(
            classifier(), "flat", IMAGES, LABELS[:4], verbose=0
        ),
    ),
    "fit_head: no labels": (
        "needs labels",
        lambda: kfl.loops.fit_head(classifier(), "flat", IMAGES, verbose=0),
    ),
    "fit_head: infinite tf.data": (
        "must have an end",
        lambda: kfl.loops.fit_head(
            classifier(), "flat", tf_data(*LABELED).repeat()
        ),
    ),
    "fit_head: endless PyDataset": (
        "must have an end",
        lambda: kfl.loops.fit_head(classifier(), "flat", Endless()),
    ),
    "find_learning_rate: not compiled": (
        r"Call `compile\(\)`",
        lambda: kfl.loops.find_learning_rate(classifier(loss=None), *LABELED),
    ),
    "find_learning_rate: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.find_learning_rate("resnet", *LABELED),
    ),
    "find_learning_rate: rate NaN": (
        "`min_rate` must be above 0",
        lambda: kfl.loops.find_learning_rate(
            classifier(), *LABELED, min_rate=NAN
        ),
    ),
    "find_batch_size: not compiled": (
        r"Call `compile\(\)` first",
        lambda: kfl.loops.find_batch_size(classifier(loss=None), *LABELED),
    ),
    "find_batch_size: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.find_batch_size("resnet", *LABELED),
    ),
    "find_batch_size: sizes in reverse": (
        "`batch_sizes` must be one or more positive ints, ascending",
        lambda: kfl.loops.find_batch_size(
            classifier(), *LABELED, batch_sizes=(4, 2)
        ),
    ),
    "find_batch_size: one size": (
        "`batch_sizes` must be one or more positive ints, ascending",
        lambda: kfl.loops.find_batch_size(
            classifier(), *LABELED, batch_sizes=4
        ),
    ),
    "find_batch_size: no steps": (
        "`num_steps` must be an int, 1 or more",
        lambda: kfl.loops.find_batch_size(
            classifier(), *LABELED, batch_sizes=(4,), num_steps=0
        ),
    ),
    "find_batch_size: labels of other images": (
        "one image or more, and one label for each",
        lambda: kfl.loops.find_batch_size(classifier(), IMAGES, LABELS[:3]),
    ),
    "find_batch_size: no images": (
        "one image or more, and one label for each",
        lambda: kfl.loops.find_batch_size(classifier(), IMAGES[:0], LABELS[:0]),
    ),
    "find_batch_size: empty tf.data": (
        "one image or more, and one label for each",
        lambda: kfl.loops.find_batch_size(
            classifier(), tf_data(*LABELED).take(0)
        ),
    ),
    "tune_rand_augment: builder of another type": (
        "`build_model` must be a function",
        lambda: tune("resnet"),
    ),
    "tune_rand_augment: not compiled": (
        "must return a Keras model that is compiled",
        lambda: tune(lambda: classifier(loss=None)),
    ),
    "tune_rand_augment: no accuracy": (
        "Settings are compared by their accuracy",
        lambda: tune(lambda: classifier(metrics=[])),
    ),
    "tune_rand_augment: one trial": (
        "`max_trials` must be an int, 2 or more",
        lambda: tune(max_trials=1),
    ),
    "tune_rand_augment: one count of ops": (
        "`num_ops` and `magnitudes` must be lists",
        lambda: tune(num_ops=2),
    ),
    "tune_rand_augment: negative magnitude": (
        "`magnitude` must be a number",
        lambda: tune(magnitudes=[-1]),
    ),
    "tune_rand_augment: no epochs": (
        "`epochs` must be an int, 1 or more",
        lambda: tune(epochs=0),
    ),
    "tune_rand_augment: batch size of another type": (
        "`batch_size` must be an int, 1 or more",
        lambda: tune(batch_size="32"),
    ),
    "tune_rand_augment: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: tune(seed=-1),
    ),
    "tune_rand_augment: NaN": (
        "needs finite images",
        lambda: tune(x=BROKEN, value_range=(0, 1)),
    ),
    "tune_rand_augment: labels of other images": (
        "one label for each",
        lambda: tune(y=LABELS[:3]),
    ),
    "tune_rand_augment: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: tune(y=LABELS + 1),
    ),
    "tune_rand_augment: validation without labels": (
        "`validation_data` must be an array of images and",
        lambda: tune(validation=IMAGES),
    ),
    "tune_rand_augment: file in the way": (
        "`directory` must be a folder",
        lambda: tune(directory="file"),
    ),
    "tune_rand_augment: truncated search": (
        "search.json.* is damaged",
        lambda: tune(directory="truncated"),
    ),
    "recalibrate_batch_norm: model of another type": (
        "`model` must be a Keras model",
        lambda: kfl.loops.recalibrate_batch_norm(None, IMAGES),
    ),
    "recalibrate_batch_norm: no images": (
        "at least one image",
        lambda: kfl.loops.recalibrate_batch_norm(
            classifier(front=[layers.BatchNormalization()]), IMAGES[:0]
        ),
    ),
    "recalibrate_batch_norm: no batch size": (
        "`batch_size` must be an int, 1 or more",
        lambda: kfl.loops.recalibrate_batch_norm(
            classifier(front=[layers.BatchNormalization()]), IMAGES, 0
        ),
    ),
    "FitReport: nothing": (
        "`details` must be a dict",
        lambda: kfl.loops.FitReport(None),
    ),
    # Evaluation
    "corrupt: unknown corruption": (
        "`corruption` must be",
        lambda: corrupt(corruption="rain"),
    ),
    "corrupt: severity of 6": (
        "`severities` must be whole numbers from 1 to 5",
        lambda: corrupt(severity=6),
    ),
    "corrupt: severity of another type": (
        "`severities` must be whole numbers from 1 to 5",
        lambda: corrupt(severity=[3]),
    ),
    "corrupt: small images": (
        "32 pixels or larger",
        lambda: corrupt(IMAGES),
    ),
    "corrupt: images of several sizes": (
        "`x` must .*one size",
        lambda: corrupt(RAGGED),
    ),
    "corrupt: floats without a range": (
        "Pass the values of black and white",
        lambda: corrupt(LARGE / 255),
    ),
    "corrupt: one number as range": (
        "`value_range` must be the values of black and white",
        lambda: corrupt(LARGE / 255, value_range=1),
    ),
    "corrupt: NaN": (
        "must hold finite numbers",
        lambda: corrupt(LARGE * NAN, value_range=(0, 1)),
    ),
    "corrupt: negative seed": (
        "`seed` must be an int, 0 or more",
        lambda: corrupt(seed=-1),
    ),
    "evaluate_corruptions: model of another type": (
        "`model` must be a `keras.Model`",
        lambda: evaluate(lambda images: images),
    ),
    "evaluate_corruptions: path of images": (
        "`x` must be an array",
        lambda: evaluate(x="folder"),
    ),
    "evaluate_corruptions: label outside the classes": (
        "must hold class numbers from 0 to 2",
        lambda: evaluate(y=LABELS[:4] + 1),
    ),
    "evaluate_corruptions: names as text": (
        "`corruptions` must be a list of names",
        lambda: evaluate(names="fog"),
    ),
    "evaluate_corruptions: a name twice": (
        "must name each only once",
        lambda: evaluate(names=("fog", "fog")),
    ),
    "evaluate_corruptions: no batch": (
        "`batch_size` must be an int, 1 or more",
        lambda: evaluate(batch_size=0),
    ),
    "evaluate_corruptions: baseline of another type": (
        "`baseline` must be",
        lambda: evaluate(baseline="alexnet"),
    ),
    "evaluate_corruptions: model of other images": (
        "The model must take the images",
        lambda: evaluate(classifier()),
    ),
    "audit_pseudo_labels: model of another type": (
        "`model` must be a `keras.Model`",
        lambda: kfl.evaluation.audit_pseudo_labels("model", UNLABELED),
    ),
    "audit_pseudo_labels: path of images": (
        "must be images, not where they are",
        lambda: kfl.evaluation.audit_pseudo_labels(classifier(), "folder"),
    ),
    "audit_pseudo_labels: history of other images": (
        "`history` must be a `PseudoLabeler`",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), UNLABELED, history=[LABELS]
        ),
    ),
    "audit_pseudo_labels: model without features": (
        "Pass a model that gives features as `feature_model`",
        lambda: kfl.evaluation.audit_pseudo_labels(Subclassed(), UNLABELED),
    ),
    "audit_pseudo_labels: label outside the classes": (
        "must be classes of the model",
        lambda: kfl.evaluation.audit_pseudo_labels(
            classifier(), UNLABELED, pseudo_labels=np.full(8, 3)
        ),
    ),
    "next_to_label: more than there are": (
        "`count` must not exceed",
        lambda: kfl.evaluation.next_to_label(
            classifier(), UNLABELED, LABELED, count=9
        ),
    ),
    "next_to_label: labelled images alone": (
        "`labeled` must be a pair",
        lambda: kfl.evaluation.next_to_label(
            classifier(), UNLABELED, IMAGES, count=2
        ),
    ),
    "next_to_label: paths of other images": (
        "`paths` must hold one path per image",
        lambda: kfl.evaluation.next_to_label(
            classifier(), UNLABELED, LABELED, count=2, paths=["a.png"]
        ),
    ),
    "what_changed: other classes": (
        "Both runs must have the same classes",
        lambda: kfl.evaluation.what_changed(
            classifier(), classifier(4), UNLABELED
        ),
    ),
    "what_changed: model of other images": (
        "must take the images as they are",
        lambda: kfl.evaluation.what_changed(
            classifier(), classifier(shape=(6, 6, 1)), UNLABELED
        ),
    ),
    "what_changed: scores NaN": (
        "must return finite scores",
        lambda: kfl.evaluation.what_changed(
            classifier(), np.full((8, 3), NAN), UNLABELED
        ),
    ),
    "evaluate_flip_rate: no perturbations": (
        "`perturbations` must be a list of names",
        lambda: flip_rate(perturbations=[]),
    ),
    "evaluate_flip_rate: broken model": (
        "must return finite scores",
        lambda: flip_rate(broken_classifier()),
    ),
    # Plots
    "augmentations: one image": (
        "`images` must have the shape",
        lambda: kfl.plots.augmentations(IMAGES[0], layers.Identity()),
    ),
    "augmentations: no views": (
        "`num_views` must be a whole number",
        lambda: kfl.plots.augmentations(IMAGES, layers.Identity(), 0),
    ),
    "augmentations: layer of another type": (
        "`layer` must be",
        lambda: kfl.plots.augmentations(IMAGES, "rotate"),
    ),
    "batch_sizes: none": (
        "one batch size or more",
        lambda: kfl.plots.batch_sizes({}),
    ),
    "batch_sizes: list": (
        "in a dict with the images per second",
        lambda: kfl.plots.batch_sizes([8, 16]),
    ),
    "comparison: percentages": (
        "must be fractions in 0 to 1",
        lambda: kfl.plots.comparison({"labels only": 61}),
    ),
    "comparison: NaN": (
        "Each accuracy in `accuracies` must be a number",
        lambda: kfl.plots.comparison({"labels only": NAN}),
    ),
    "corruptions: rows of several lengths": (
        "an error for each severity",
        lambda: kfl.plots.corruptions({"fog": [0.1], "snow": [0.1, 0.2]}),
    ),
    "corruptions: text": (
        "an error for each severity",
        lambda: kfl.plots.corruptions({"fog": ["high"]}),
    ),
    "image_grid: rows of several lengths": (
        "rows of equally many images",
        lambda: kfl.plots.image_grid([IMAGES[:2], IMAGES[:3]]),
    ),
    "image_grid: images without channels": (
        "with 1 or 3 channels",
        lambda: kfl.plots.image_grid(IMAGES[..., 0]),
    ),
    "image_grid: empty range": (
        "`value_range` must be the values of black and white",
        lambda: kfl.plots.image_grid([IMAGES[:2]], (0, 0)),
    ),
    "learning_curves: unknown metric": (
        "each must be in a history",
        lambda: kfl.plots.learning_curves({"loss": [1.0]}, ["accuracy"]),
    ),
    "learning_curves: one number": (
        "one value per epoch",
        lambda: kfl.plots.learning_curves({"loss": 1.0}),
    ),
    "learning_rates: rates without losses": (
        "two or more rates, and a loss for each",
        lambda: kfl.plots.learning_rates([0.1, 0.2], [1.0]),
    ),
    "learning_rates: losses NaN": (
        "finite",
        lambda: kfl.plots.learning_rates([0.1, 0.2], [NAN, NAN]),
    ),
    "predictions: labels of other images": (
        "`true` must be 4 labels",
        lambda: kfl.plots.predictions(IMAGES[:4], [0], SCORES),
    ),
    "predictions: labels of text": (
        "`true` must hold whole numbers",
        lambda: kfl.plots.predictions(IMAGES[:4], list("abcd"), SCORES),
    ),
    "predictions: names of other classes": (
        "`class_names` must name each class",
        lambda: kfl.plots.predictions(IMAGES[:4], LABELS[:4], SCORES, ["cat"]),
    ),
    "predictions: no columns": (
        "`num_columns` must be",
        lambda: kfl.plots.predictions(
            IMAGES[:4], LABELS[:4], SCORES, num_columns=0
        ),
    ),
    "pseudo_labels: no rounds": (
        "a round of labelling to draw",
        lambda: kfl.plots.pseudo_labels(
            {"label": LABELS, "confidence": np.ones(16)}, []
        ),
    ),
    "pseudo_labels: other columns": (
        "must be what `PseudoLabeler.to_dict",
        lambda: kfl.plots.pseudo_labels({"label": LABELS}, []),
    ),
    "waterfall: one step": (
        "two or more steps",
        lambda: kfl.plots.waterfall({"labels only": 0.6}),
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory in which only `FILES` lie."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    BUILT.clear()
    return tmp_path


def tree(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in pathlib.Path(folder).rglob("*")
    }


def parameters():
    for name, case in CASES.items():
        marks = [pytest.mark.tensorflow] if "tf.data" in name else []
        yield pytest.param(*case, id=name, marks=marks)


@pytest.mark.parametrize("message, do_wrong", parameters())
def test_refused_before_anything_happens(message, do_wrong, folder):
    before = tree(folder)
    with pytest.raises(ValueError, match=rf"(?s)({message}).*Received"):
        do_wrong()
    assert tree(folder) == before
    for model, weights in BUILT:
        for weight, first in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(weight, first)
        if model.compiled:
            assert int(model.optimizer.iterations) == 0
