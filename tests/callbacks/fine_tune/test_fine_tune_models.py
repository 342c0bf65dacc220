"""Backbones that are flattened into a graph, several, or in a student."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_fewlabels.callbacks import FineTune
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import NoisyStudentModel


def test_backbone_flattened_into_the_functional_graph(
    build_backbone, fit, recorder
):
    backbone = build_backbone()
    outputs = layers.Dense(1, name="head")(backbone.output)
    model = keras.Model(backbone.input, outputs)
    model.compile("sgd", "mse", run_eagerly=True)
    fit(model, FineTune(backbone, {0: 0, 1: 2}), recorder, epochs=2)
    assert recorder.changed == [{"head"}, {"head", "high", "middle"}]


def test_several_backbones(build_backbone, fit):
    inputs = keras.Input((4,))
    first, second = build_backbone("first"), build_backbone("second")
    joined = layers.Concatenate()([first(inputs), second(inputs)])
    model = keras.Model(inputs, layers.Dense(1, name="head")(joined))
    model.compile("adam", "mse", run_eagerly=True)
    callbacks = [FineTune(first, {0: 0, 1: 1}), FineTune(second, {0: 0, 2: 1})]
    before = [layer.get_weights() for layer in (first, second)]

    def changed(epoch):
        fit(model, *callbacks, epochs=epoch + 1, initial_epoch=epoch)
        return [
            not all(map(np.array_equal, old, layer.get_weights()))
            for old, layer in zip(before, (first, second), strict=True)
        ]

    assert changed(epoch=0) == [False, False]
    assert changed(epoch=1) == [True, False]
    assert changed(epoch=2) == [True, True]


def test_the_student_of_a_noisy_student_model_and_never_the_teacher(
    build_backbone, recorder
):
    def classifier():
        head = layers.Dense(2, activation="softmax", name="head")
        flatten = [keras.Input((2, 2, 1)), layers.Flatten()]
        return keras.Sequential([*flatten, build_backbone(), head])

    model = NoisyStudentModel(classifier(), classifier())
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    teacher = model.teacher.get_weights()
    images = np.random.default_rng(0).normal(size=(8, 2, 2, 1))
    labeled = (images, np.arange(8) % 2)
    dataset = mix_labeled_unlabeled(labeled, images, batch_size=8)
    fine_tune = FineTune("backbone", {0: 0, 1: 2})
    model.fit(dataset, epochs=2, verbose=0, callbacks=[fine_tune, recorder])
    assert recorder.changed == [{"head"}, {"head", "high", "middle"}]
    for ours, theirs in zip(teacher, model.teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_rejects_a_stage_in_which_nothing_trains(build_backbone):
    backbone = build_backbone()
    backbone.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Nothing in the model trains"):
        FineTune(backbone, {0: "all", 1: 0}).set_model(backbone)
    assert all(layer.trainable for layer in backbone.layers)
