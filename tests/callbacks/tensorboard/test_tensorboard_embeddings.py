import re

import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.tensorboard.tensorboard_embeddings import (
    embedding_features,
)

pytestmark = pytest.mark.usefixtures("eager")

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, 8, 6, 3), "uint8")
LABELS = np.arange(10) % 3
NAMES = ["cat", "big\tdog", "Käfer\udce9"]


def classifier():
    model = keras.Sequential(
        [
            keras.Input((8, 6, 3)),
            layers.Rescaling(1 / 255),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(5, activation="tanh", name="features"),
            layers.Dropout(0.5),
            layers.Dense(3),
            layers.Softmax(),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def table(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def features_of(model, images):
    inner = keras.Model(model.inputs, model.get_layer("features").output)
    return inner.predict(images, verbose=0)


def test_files_of_the_projector(graphs, tmp_path):
    from PIL import Image

    model = classifier()
    known = np.where(np.arange(10) < 4, LABELS, -1)
    callback = kfl.callbacks.TensorBoardEmbeddings(
        tmp_path, IMAGES, known, class_names=NAMES, num_images=7, every=2
    )
    model.fit(IMAGES, LABELS, epochs=4, callbacks=[callback], verbose=0)
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert re.findall(r'tensor_name: "(.*)"', config) == [
        *["epoch 0", "epoch 2", "(last) epoch 3"]
    ]
    for name in re.findall(r'path: "(.*)"', config):
        assert (tmp_path / name).is_file(), name
    folder = tmp_path / "embeddings"
    features = np.array(table(folder / "epoch_0003.tsv"), float)
    expected = features_of(model, IMAGES[:7])
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert np.abs(
        features - np.array(table(folder / "epoch_0000.tsv"), float)
    ).max()
    head, *rows = table(folder / "epoch_0003.metadata.tsv")
    assert head == ["index", "label", "prediction"]
    names = ["cat", r"big\tdog", r"Käfer\xe9"]
    predictions = model.predict(IMAGES[:7], verbose=0).argmax(axis=1)
    for number, row in enumerate(rows):
        label = names[LABELS[number]] if number < 4 else "unknown"
        assert row == [str(number), label, names[predictions[number]]]
    assert len(rows) == 7
    sprite = Image.open(folder / "sprite.png")
    assert sprite.size == (3 * 32, 3 * 32)
    thumbnail = Image.fromarray(IMAGES[4]).resize((32, 32))
    np.testing.assert_array_equal(
        np.asarray(sprite)[32:64, 32:64], np.asarray(thumbnail)
    )


def test_tensorboard_reads_the_config(tmp_path):
    config_pb2 = pytest.importorskip(
        "tensorboard.plugins.projector.projector_config_pb2"
    )
    from google.protobuf import text_format

    callback = kfl.callbacks.TensorBoardEmbeddings(tmp_path, IMAGES)
    classifier().fit(IMAGES, LABELS, callbacks=[callback], verbose=0)
    config = text_format.Parse(
        (tmp_path / "projector_config.pbtxt").read_text(),
        config_pb2.ProjectorConfig(),
    )
    (embedding,) = config.embeddings
    assert embedding.tensor_name == "(last) epoch 0"
    assert list(embedding.sprite.single_image_dim) == [32, 32]
    rows = table(tmp_path / embedding.metadata_path)
    assert {row[1] for row in rows[1:]} == {"unknown"}
    assert len(table(tmp_path / embedding.tensor_path)) == len(IMAGES)


def test_of_a_student_in_training(tmp_path):
    student = classifier()
    model = kfl.models.NoisyStudentModel(student, kfl.models.EMATeacher())
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = kfl.data.mix_labeled_unlabeled((IMAGES, LABELS), IMAGES, 5)
    callback = kfl.callbacks.TensorBoardEmbeddings(
        tmp_path, IMAGES, layer="pool", every=1
    )
    model.fit(data, epochs=2, callbacks=[callback], verbose=0)
    found = np.array(table(tmp_path / "embeddings" / "epoch_0001.tsv"), float)
    means = (IMAGES / 255).mean(axis=(1, 2))
    np.testing.assert_allclose(found, means, rtol=1e-4)


def test_one_sigmoid_tells_two_classes_apart(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8, 6, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("sgd", "binary_crossentropy")
    y = np.arange(10) % 2
    callback = kfl.callbacks.TensorBoardEmbeddings(
        tmp_path, IMAGES, y, class_names=["cat", "dog"]
    )
    model.fit(IMAGES, y, callbacks=[callback], verbose=0)
    rows = table(tmp_path / "embeddings" / "epoch_0000.metadata.tsv")[1:]
    expected = model.predict(IMAGES, verbose=0)[:, 0] >= 0.5
    assert [row[2] for row in rows] == [*(np.where(expected, "dog", "cat"))]
    assert 0 < expected.sum() < 10


def test_a_layer_that_is_not_there_is_said_before_training(tmp_path):
    callback = kfl.callbacks.TensorBoardEmbeddings(
        tmp_path, IMAGES, layer="missing"
    )
    with pytest.raises(ValueError, match=r"`layer` must be.*'pool'.*Received"):
        classifier().fit(IMAGES, LABELS, callbacks=[callback], verbose=0)
    assert not list(tmp_path.iterdir())


X = np.random.default_rng(0).random((5, 4, 4, 1), "float32")


def test_what_the_last_dense_layer_takes():
    inputs = keras.Input((4, 4, 1))
    flat = layers.Flatten()(inputs)
    outputs = layers.Softmax()(layers.Dropout(0.5)(layers.Dense(2)(flat)))
    model = keras.Model(inputs, outputs)
    found = embedding_features(model, X, batch_size=2)
    np.testing.assert_allclose(found, X.reshape(5, 16))


def test_feature_maps_become_rows():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.ReLU(name="map"), layers.Conv2D(1, 4)]
    )
    found = embedding_features(model, X, layer="map")
    np.testing.assert_allclose(found, X.reshape(5, 16))


def test_models_without_features_are_refused():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=r"functional or .*Received"):
        embedding_features(Subclassed(), X)
    plain = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()])
    with pytest.raises(
        ValueError, match=r"no `Dense` layer.*`layer`.*Received"
    ):
        embedding_features(plain, X)
