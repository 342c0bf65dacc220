import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.evaluation.mean_average_precision import (
    mean_average_precision,
)
from keras_fewlabels.foundation.keras_internals import flatten_layers
from keras_fewlabels.loops import fit_head
from keras_fewlabels.loops.fit_head.split_at_backbone import split_at_backbone

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.integers(0, 3, 12)


def build_model(front=()):
    keras.utils.set_random_seed(1)
    backbone = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, activation="tanh"),
            layers.BatchNormalization(),
        ],
        name="backbone",
    )
    head = [layers.Dense(6, activation="relu"), layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *front, backbone, *head])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    return model


def check_equal(first, second):
    for ours, theirs in zip(
        first.get_weights(), second.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_equals_fit_with_a_frozen_backbone():
    cached = build_model([layers.Rescaling(0.5)])
    history = fit_head(
        cached,
        "backbone",
        (X, Y),
        validation_data=(X, Y),
        batch_size=12,
        epochs=3,
        verbose=0,
    ).history
    assert {"loss", "accuracy", "val_accuracy"} <= set(history)
    frozen = build_model([layers.Rescaling(0.5)])
    frozen.get_layer("backbone").trainable = False
    frozen.fit(X, Y, batch_size=12, epochs=3, verbose=0)
    check_equal(cached, frozen)


def test_fine_tune_follows_on():
    model = build_model()
    fit_head(model, "backbone", (X, Y), batch_size=12, epochs=2, verbose=0)
    assert all(layer.trainable for layer in flatten_layers(model))
    fine_tune = FineTune("backbone", {0: "all"})
    model.fit(X, Y, batch_size=12, verbose=0, callbacks=[fine_tune])
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 3
    # As if it had been one run whose first stage was two epochs long.
    one_run = build_model()
    stages = FineTune("backbone", {0: 0, 2: "all"})
    one_run.fit(X, Y, batch_size=12, epochs=3, verbose=0, callbacks=[stages])
    check_equal(model, one_run)


def test_a_plain_fit_follows_on():
    model, one_run = build_model(), build_model()
    fit_head(model, "backbone", (X, Y), batch_size=12, epochs=2, verbose=0)
    model.fit(X, Y, batch_size=12, verbose=0)
    stages = FineTune("backbone", {0: 0, 2: "all"}, freeze_batch_norm=False)
    frozen = FineTune("backbone", {0: 0})
    one_run.fit(X, Y, batch_size=12, epochs=2, verbose=0, callbacks=[frozen])
    one_run.fit(
        X,
        Y,
        batch_size=12,
        initial_epoch=2,
        epochs=3,
        verbose=0,
        callbacks=[stages],
    )
    check_equal(model, one_run)


def test_a_backbone_flattened_into_the_graph():
    inputs = keras.Input((4,))
    features = layers.Dense(5, activation="tanh")(inputs)
    backbone = keras.Model(inputs, features, name="backbone")
    model = keras.Model(inputs, layers.Dense(3)(features))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    before = backbone.get_weights()
    history = fit_head(model, backbone, (X, Y), epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    for ours, theirs in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_rejects_what_trains_in_front_of_the_backbone():
    model = build_model([layers.Dense(4)])
    with pytest.raises(ValueError, match="6 trainable variables, 4 of them"):
        fit_head(model, "backbone", (X, Y))
    assert model.get_layer("backbone").trainable


def test_rejects_a_model_that_is_not_compiled():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="net")
    with pytest.raises(ValueError, match="Received: model='net', which is not"):
        fit_head(model, model.layers[0], (X, Y))


def test_inputs_and_outputs_keep_their_names():
    inputs = {name: keras.Input((2,), name=name) for name in ("left", "right")}
    both = layers.Concatenate()([inputs["right"], inputs["left"]])
    features = layers.Dense(5, name="backbone")(both)
    outputs = {
        "sum": layers.Dense(1, name="sum")(features),
        "class": layers.Dense(3, name="class")(features),
    }
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"class": "mae", "sum": "mse"})
    images = {"right": X[:, :2], "left": X[:, 2:]}
    labels = {"sum": X[:, :1], "class": X[:, :3]}
    backbone = model.get_layer("backbone")
    expected = keras.Model(inputs, features).predict(images, verbose=0)
    extractor, _ = split_at_backbone(model, backbone)
    np.testing.assert_allclose(extractor.predict(images, verbose=0), expected)
    batch = (images, labels)

    class OneBatch(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return batch

    before = model.evaluate(images, labels, verbose=0, return_dict=True)
    history = fit_head(model, "backbone", OneBatch(), verbose=0).history
    for name in ("loss", "sum_loss", "class_loss"):
        assert history[name][0] == pytest.approx(before[name], rel=1e-4)


DIGITS = load_digits()
IMAGES = DIGITS.images[..., None].astype("uint8")


def digits_model(loss):
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Rescaling(1 / 16)],
        name="backbone",
    )
    head = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 1)), backbone, head])
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("loss", ["sparse_", ""])
def test_unlabelled_images_help(loss):
    labels = DIGITS.target if loss else np.eye(10)[DIGITS.target]
    accuracies = []
    for unlabeled, epochs in ((None, 100), (IMAGES[50:1000], 5)):
        model = digits_model(f"{loss}categorical_crossentropy")
        fit_head(
            model,
            "backbone",
            (IMAGES[:50], labels[:50]),
            unlabeled,
            epochs=epochs,
            verbose=0,
        )
        rest = IMAGES[1000:], labels[1000:]
        accuracies.append(model.evaluate(*rest, verbose=0)[1])
    assert accuracies[1] > accuracies[0] + 0.02


def test_unlabelled_images_need_a_classifier():
    model = build_model()
    regression = keras.Sequential([model.layers[0], layers.Dense(1)])
    regression.compile("sgd", "mse")
    for student, labels, expected in (
        (regression, np.ones((12, 1)), "categorical cross-entropy"),
        (model, Y + 1, "labels of labeled"),
    ):
        with pytest.raises(ValueError, match=expected):
            fit_head(student, model.layers[0], (X, labels), X, verbose=0)


def test_unlabelled_images_help_each_of_several_labels():
    # Two out of four patterns are in each image, under noise.
    random = np.random.default_rng(0)
    truth = random.permuted(np.tile([1.0, 1, 0, 0], (620, 1)), axis=1)
    images = truth @ random.normal(size=(4, 64))
    images += random.normal(0, 2.5, images.shape)
    images = images.reshape(-1, 8, 8, 1)
    precisions = []
    for unlabeled, epochs in ((None, 60), (images[20:320], 10)):
        keras.utils.set_random_seed(0)
        backbone = layers.Dense(64, kernel_initializer="identity", name="same")
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Flatten(),
                backbone,
                layers.Dense(4, "sigmoid"),
            ]
        )
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
        fit_head(
            model,
            "same",
            (images[:20], truth[:20].astype("float32")),
            unlabeled,
            epochs=epochs,
            verbose=0,
        )
        found = model.predict(images[320:], verbose=0)
        precisions.append(mean_average_precision(found, truth[320:]))
    assert precisions[1] > precisions[0] + 0.01


def uneven_digits(loss, **options):
    """Fits a head to 40 labels of 3 and four of 8. Returns both recalls."""
    random = np.random.default_rng(0)
    rows = [
        random.permutation(np.flatnonzero(DIGITS.target == number))
        for number in (3, 8)
    ]
    chosen = np.r_[rows[0][:40], rows[1][:4]]
    pool = np.r_[rows[0][40:100], rows[1][4:60]]
    rest = rows[0][100:], rows[1][60:]
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Rescaling(1 / 16)],
        name="backbone",
    )
    units = 1 if loss.startswith("binary") else 2
    activation = "softmax" if units == 2 else "sigmoid"
    head = layers.Dense(units, activation)
    model = keras.Sequential([keras.Input((8, 8, 1)), backbone, head])
    model.compile(keras.optimizers.Adam(0.01), loss)
    labels = (DIGITS.target[chosen] == 8).astype("float32")
    data = IMAGES[chosen], labels, np.linspace(1, 2, 44)
    fit_head(
        model, "backbone", data, IMAGES[pool], epochs=5, verbose=0, **options
    )
    is_rare = [
        model.predict(IMAGES[each], verbose=0)[:, -1] > 0.5 for each in rest
    ]
    return 1 - is_rare[0].mean(), is_rare[1].mean()


@pytest.mark.parametrize(
    "loss", ["sparse_categorical_crossentropy", "binary_crossentropy"]
)
def test_rare_classes_count_alike_where_labels_are_uneven(loss):
    plain = uneven_digits(loss, balanced=False)
    balanced = uneven_digits(loss, balanced=True)
    assert balanced[1] > plain[1] + 0.05 and np.mean(balanced) > np.mean(plain)
    # By default, as the loop decides.
    assert uneven_digits(loss) == balanced


@pytest.mark.parametrize(
    "unlabeled, options, expected",
    [
        (None, {"balanced": True}, "for pseudo-labels, and needs `unlabeled`"),
        (X, {"balanced": "yes"}, "`balanced` must be True or False"),
        (X, {"balanced": 1}, "`balanced` must be True or False"),
    ],
)
def test_rejects_what_cannot_be_balanced(unlabeled, options, expected):
    model = build_model()
    before = model.get_weights()
    with pytest.raises(ValueError, match=expected):
        fit_head(model, "backbone", (X, Y), unlabeled, **options)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_softmax_is_no_model_of_several_labels():
    model = build_model()
    softmax = keras.Sequential([model.layers[0], layers.Dense(3, "softmax")])
    softmax.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match="the model ends with a softmax"):
        fit_head(softmax, model.layers[0], (X, np.eye(3)[Y]), X)
