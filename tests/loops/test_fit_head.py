import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.data import ImageFiles
from keras_fewlabels.foundation.keras_internals import flatten_layers
from keras_fewlabels.loops import fit_head
from keras_fewlabels.loops.fit_head import split_at_backbone, stored_features

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


def test_the_parts_make_up_the_model_and_share_its_layers():
    backbone = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model = keras.Sequential([layers.Rescaling(2.0), backbone, layers.Dense(2)])
    model.build((None, 4))
    extractor, head = split_at_backbone(model, backbone)
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(
        head.predict(extractor.predict(x, verbose=0), verbose=0),
        model.predict(x, verbose=0),
        rtol=1e-6,
    )
    assert head.layers[-1] is model.layers[-1]


def test_rejects_a_model_without_graph():
    class Subclassed(keras.Model):
        pass

    with pytest.raises(ValueError, match="Only a functional or `Sequential`"):
        split_at_backbone(Subclassed(), layers.Dense(2))


def test_rejects_a_backbone_that_is_called_twice_or_not_on_this_level():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    model = keras.Model(inputs, dense(dense(inputs)))
    with pytest.raises(ValueError, match="'dense', called 2 times"):
        split_at_backbone(model, dense)
    with pytest.raises(ValueError, match="'other', called 0 times"):
        split_at_backbone(model, layers.Dense(2, name="other"))


def test_rejects_a_head_that_takes_more_than_the_features():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, name="dense")
    model = keras.Model(inputs, layers.Add()([inputs, dense(inputs)]))
    with pytest.raises(ValueError, match="take other inputs"):
        split_at_backbone(model, dense)


ROWS = np.arange(20, dtype="float32").reshape(10, 2)
NUMBERS = np.arange(10)
WEIGHTS = np.linspace(0, 1, 10)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return ROWS[rows], NUMBERS[rows], WEIGHTS[rows]


def extractor():
    inputs = keras.Input((2,))
    doubled = layers.Dropout(0.9)(layers.Rescaling(2.0)(inputs))
    return keras.Model(inputs, doubled)


def features_of(data, *arguments, **options):
    return stored_features(extractor(), data, "labeled", *arguments, **options)


def test_stored_features_of_arrays():
    (features, y, weight), size = features_of((ROWS, NUMBERS))
    np.testing.assert_allclose(features, 2 * ROWS)
    np.testing.assert_array_equal(y, NUMBERS)
    assert (weight, size) == (None, 10)
    _, size = features_of((ROWS, NUMBERS), 3)
    assert size == 3


def test_progress_of_the_features_is_shown(capsys):
    features_of((ROWS, NUMBERS), 4, verbose=1)
    assert "10/10" in capsys.readouterr().out
    features_of((ROWS, NUMBERS), 4, verbose=0)
    assert capsys.readouterr().out == ""


def test_images_on_disk_are_those_in_memory(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1), "uint8")
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path, image in zip(paths, images, strict=True):
        keras.utils.save_img(path, image, scale=False)
    files = ImageFiles(paths, (4, 4), color_mode="grayscale")
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()])
    labels = np.arange(5)
    (features, *_), _ = stored_features(model, (files, labels), "labeled", 2)
    np.testing.assert_array_equal(features, images.reshape(5, 16))


def test_several_outputs_have_labels_each():
    labels = {"a": NUMBERS, "b": ROWS}
    (_, found, _), _ = features_of((ROWS, labels), 4)
    np.testing.assert_array_equal(found["b"], ROWS)
    with pytest.raises(ValueError, match="one label per image"):
        features_of((ROWS, {"a": NUMBERS[:4]}))


def test_stored_features_of_a_py_dataset_with_sample_weights():
    (features, y, weight), size = features_of(Batches())
    np.testing.assert_allclose(features, 2 * ROWS)
    np.testing.assert_array_equal(y, NUMBERS)
    np.testing.assert_allclose(weight, WEIGHTS)
    assert size == 4


@pytest.mark.tensorflow
def test_stored_features_of_tf_data():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((ROWS, NUMBERS)).batch(4)
    (features, y, weight), size = features_of(dataset)
    np.testing.assert_allclose(features, 2 * ROWS)
    np.testing.assert_array_equal(y, NUMBERS)
    assert (weight, size) == (None, 4)
    with pytest.raises(ValueError, match="`labeled` must end"):
        features_of(dataset.repeat())
    with pytest.raises(ValueError, match="must hold at least one image"):
        features_of(dataset.take(0))


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
