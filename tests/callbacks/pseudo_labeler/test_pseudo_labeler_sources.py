"""The same training on images of every kind."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.datasets import load_digits

from keras_fewlabels.callbacks import FineTune, PseudoLabeler
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import NoisyStudentModel
from keras_fewlabels.policies import FixedThreshold

DIGITS = load_digits()
IMAGES = (DIGITS.images[..., None] / 16).astype("float32")
TRUTH = DIGITS.target
LABELED = IMAGES[:100], TRUTH[:100]
UNLABELED, HIDDEN = IMAGES[100:700], TRUTH[100:700]


def classifier(seed=0, loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


class Batches(keras.utils.PyDataset):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return -(-len(self.parts[0]) // 64)

    def __getitem__(self, index):
        batch = [part[64 * index : 64 * (index + 1)] for part in self.parts]
        return tuple(batch) if len(batch) > 1 else batch[0]


def tf_data(*parts):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(
        parts if len(parts) > 1 else parts[0]
    )


SOURCES = {
    "tf.data of images": lambda: (LABELED, tf_data(UNLABELED)),
    "tf.data of batches": lambda: (LABELED, tf_data(UNLABELED).batch(48)),
    "tf.data of both": lambda: (tf_data(*LABELED).batch(9), tf_data(UNLABELED)),
    "PyDataset": lambda: (Batches(*LABELED), Batches(UNLABELED)),
}


def fit(labeled, unlabeled):
    labeler = PseudoLabeler(
        unlabeled,
        policy=FixedThreshold(0.4),
        balance="truncate",
        truth=HIDDEN,
        batch_size=64,
        seed=0,
    )
    model = classifier()
    model.fit(
        labeler.mixed_with(labeled, 50, shuffle=False),
        epochs=4,
        shuffle=False,
        callbacks=[labeler],
        verbose=0,
    )
    return labeler, model


def test_every_source_gives_the_labels_and_weights_of_arrays():
    labeler, model = fit(LABELED, UNLABELED)
    assert 0 < labeler.rounds[0]["kept"] < labeler.rounds[-1]["kept"] < 600
    for name, make in SOURCES.items():
        other_labeler, other = fit(*make())
        np.testing.assert_array_equal(
            other_labeler.labels, labeler.labels, err_msg=name
        )
        for ours, theirs in zip(
            other.get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=name)


@pytest.mark.tensorflow
def test_folder_of_images(tmp_path):
    for number, image in enumerate(UNLABELED[:40]):
        keras.utils.save_img(
            tmp_path / f"{number:03d}.png", 255 * image, scale=False
        )
    folder = keras.utils.image_dataset_from_directory(
        tmp_path,
        labels=None,
        shuffle=False,
        color_mode="grayscale",
        image_size=(8, 8),
        verbose=False,
    )
    labeler = PseudoLabeler(folder, policy=FixedThreshold(0.0), start=0)
    model = classifier()
    labeled = 255 * LABELED[0], LABELED[1]
    model.fit(labeler.mixed_with(labeled), callbacks=[labeler], verbose=0)
    columns = labeler.to_dict()
    assert columns["file"][7].endswith("007.png")
    assert (columns["label"] >= 0).all()
    assert {len(column) for column in columns.values()} == {40}


def test_pseudo_labels_beside_a_noisy_student():
    """Pseudo-labelled images in the place of labelled ones."""
    student = classifier()
    model = NoisyStudentModel(
        student, policy=FixedThreshold(0.5), noise=keras.layers.Identity()
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.2), truth=HIDDEN)
    dataset = mix_labeled_unlabeled(
        labeler.mixed_with(LABELED, 50), UNLABELED, 50, 2
    )
    logs = model.fit(dataset, epochs=3, callbacks=[labeler], verbose=0).history
    assert logs["pseudo_label_share"][0] == 0 < logs["pseudo_label_share"][2]
    assert np.isfinite(logs["loss"]).all()
    assert np.isfinite(logs["unlabeled_loss"]).all()


@pytest.mark.tensorflow
def test_another_order_is_refused_before_anything_is_trained():
    with pytest.raises(
        ValueError, match=r"same order.*`shuffle=False`.*other images"
    ):
        PseudoLabeler(tf_data(UNLABELED).shuffle(600))


@pytest.mark.tensorflow
def test_repeated_datasets_are_refused():
    labeler = PseudoLabeler(UNLABELED, policy=FixedThreshold(0.2))
    model = classifier()
    dataset = labeler.mixed_with(LABELED, 50)
    with pytest.raises(ValueError, match=r"without `.repeat\(\)`.*=5, where"):
        model.fit(dataset.repeat(), steps_per_epoch=5, callbacks=[labeler])
    # A pipeline that reads ahead during a labelling gets old labels.
    with pytest.raises(Exception, match="out of date"):
        model.fit(
            dataset.repeat().prefetch(2),
            epochs=3,
            steps_per_epoch=len(dataset),
            callbacks=[labeler],
            verbose=0,
        )


def test_datasets_with_several_workers_are_refused():
    labeler = PseudoLabeler(UNLABELED)
    labeler.mixed_with(LABELED)
    labeler._batches.workers = 2
    with pytest.raises(ValueError, match=r"several workers.*workers=2"):
        classifier().fit(*LABELED, 64, callbacks=[labeler], steps_per_epoch=11)


def test_reinitialize_restores_the_first_weights_after_each_round():
    labeler = PseudoLabeler(
        UNLABELED, curriculum=0.5, reinitialize=True, every=2, seed=0
    )
    model = classifier()
    start = [weight.copy() for weight in model.get_weights()]
    seen = []

    class Remember(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            weights = self.model.get_weights()
            same = map(np.array_equal, start, weights)
            iterations = ops.convert_to_numpy(self.model.optimizer.iterations)
            seen.append((all(same), int(iterations)))

    model.fit(
        labeler.mixed_with(LABELED, 50),
        epochs=6,
        callbacks=[labeler, Remember()],
        verbose=0,
    )
    assert seen == [
        (True, 0),
        (False, 14),
        (True, 0),
        (False, 14),
        (True, 0),
        (False, 14),
    ]
    assert [each["kept"] for each in labeler.rounds] == [300, 600]
    assert labeler.stopped == "all_labeled"


@pytest.mark.parametrize("first", ["labeler", "fine_tune"])
def test_reinitialize_beside_stages_of_fine_tuning(first):
    model = classifier()
    model.compile(
        keras.optimizers.Adam(0.5),
        model.loss,
    )
    labeler = PseudoLabeler(
        UNLABELED, curriculum=0.5, reinitialize=True, start=1, every=2, seed=0
    )
    fine_tune = FineTune(
        model.layers[0].name, {0: 0, 1: "all"}, {0: 0.25, 2: 0.125}
    )
    seen = []

    class Remember(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 0:
                optimizer = self.model.optimizer
                rate = float(ops.convert_to_numpy(optimizer.learning_rate))
                state = [
                    np.abs(ops.convert_to_numpy(variable)).sum()
                    for variable in optimizer.variables
                    if variable is not optimizer._learning_rate
                ]
                seen.append((rate, sum(state) == 0))

    callbacks = [labeler, fine_tune, Remember()]
    if first == "fine_tune":
        callbacks[:2] = callbacks[1::-1]
    model.fit(
        labeler.mixed_with(LABELED, 50),
        epochs=5,
        callbacks=callbacks,
        verbose=0,
    )
    assert seen == [
        (0.25, True),
        (0.25, True),
        (0.125, False),
        (0.125, True),
        (0.125, False),
    ]
