import warnings

import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import ExactBackup, FineTune, PseudoLabeler
from keras_fewlabels.policies import FixedThreshold

RANDOM = np.random.default_rng(0)
CLASSES = np.arange(120) % 3
IMAGES = RANDOM.normal(0, 0.3, (120, 4, 4, 2)) + CLASSES[:, None, None, None]
IMAGES = IMAGES.astype("float32") * 20
LABELED = IMAGES[:30], CLASSES[:30]


def classifier(momentum=0.99, loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model


def teacher_after_20_epochs():
    model = classifier()
    model.fit(*LABELED, 15, epochs=20, verbose=0)
    return model


def fit(model, epochs=1, **arguments):
    labeler = PseudoLabeler(
        IMAGES[30:], policy=FixedThreshold(0.8), truth=CLASSES[30:], **arguments
    )
    data = labeler.mixed_with(LABELED, 30, seed=0)
    model.fit(data, epochs=epochs, callbacks=[labeler], verbose=0)
    return labeler


def test_a_teacher_whose_statistics_lag_behind_labels_rightly():
    teacher = teacher_after_20_epochs()
    weights = teacher.get_weights()
    predictions = teacher.predict(IMAGES[30:], verbose=0)
    assert (predictions.argmax(axis=1) == CLASSES[30:]).mean() < 0.7
    with pytest.warns(UserWarning, match="batch normalization lag behind"):
        labeler = fit(classifier(), teacher=teacher)
    assert labeler.rounds[0]["share"] > 0.6
    assert labeler.rounds[0]["accuracy"] > 0.95
    for ours, theirs in zip(teacher.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_teacher_whose_statistics_have_settled_labels_as_it_predicts():
    teacher = classifier(momentum=0.5)
    teacher.fit(*LABELED, 15, epochs=20, verbose=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*lag behind")
        labeler = fit(classifier(), teacher=teacher)
    predictions = teacher.predict(IMAGES[30:], verbose=0)
    np.testing.assert_allclose(
        labeler.confidence, predictions.max(axis=1), rtol=1e-5
    )


class PreparesInPredict(keras.Sequential):
    """Divides images in `predict()`, as tasks of keras-hub prepare them."""

    def predict(self, x, *args, **kwargs):
        return super().predict(x / 20, *args, **kwargs)


def test_a_model_that_prepares_images_in_predict_labels_as_it_predicts():
    teacher = PreparesInPredict(classifier(momentum=0.5).layers)
    teacher.build((None, 4, 4, 2))
    teacher.compile(
        keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy"
    )
    images, labels = LABELED
    teacher.fit(images / 20, labels, 15, epochs=20, verbose=0)
    predictions = teacher.predict(IMAGES[30:], verbose=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*lag behind")
        labeler = fit(classifier(), teacher=teacher)
    np.testing.assert_allclose(
        labeler.confidence, predictions.max(axis=1), rtol=1e-5
    )


def test_the_momentum_is_that_of_a_short_fit_and_given_back():
    models = [classifier(momentum) for momentum in (0.99, 0.9)]
    for model, momentum in zip(models, (0.99, 0.9), strict=True):
        fit(model, epochs=8)
        assert model.layers[1].momentum == momentum
    for ours, theirs in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    # Later fits have the momentum of the user.
    for model in models:
        model.fit(*LABELED, 30, epochs=1, verbose=0)
    means = [
        keras.ops.convert_to_numpy(model.layers[1].moving_mean)
        for model in models
    ]
    assert np.abs(means[0] - means[1]).max() > 1e-3


def test_a_model_saved_meanwhile_has_the_momentum_of_the_user(tmp_path):
    model = classifier()
    fine_tune = FineTune(model.layers[0].name, {0: "all"})
    labeler = PseudoLabeler(IMAGES[30:], policy=FixedThreshold(0.8))
    path = tmp_path / "model.keras"
    keep = keras.callbacks.ModelCheckpoint(path)
    model.fit(
        labeler.mixed_with(LABELED, 30),
        callbacks=[labeler, fine_tune, keep],
        verbose=0,
    )
    assert keras.models.load_model(path).layers[1].momentum == 0.99
    assert all("get_config" not in vars(layer) for layer in model.layers)


def test_a_killed_fit_goes_on_for_more_epochs(tmp_path):
    begun = []

    def fit_until(last, epochs):
        def kill(epoch, logs=None):
            begun.append(epoch)
            if epoch == last:
                raise KeyboardInterrupt

        labeler = PseudoLabeler(IMAGES[30:], cache_dir=tmp_path / "labels")
        backup = ExactBackup(tmp_path / "backup", seed=0)
        stop = keras.callbacks.LambdaCallback(on_epoch_begin=kill)
        with pytest.raises(KeyboardInterrupt):
            classifier().fit(
                labeler.mixed_with(LABELED, 30, seed=0),
                epochs=epochs,
                callbacks=[labeler, backup, stop],
                verbose=0,
            )

    # In a longer fit, the momentum is a higher one meanwhile.
    fit_until(1, epochs=2)
    fit_until(2, epochs=500)
    assert begun == [0, 1, 1, 2]


def test_the_momentum_is_given_back_after_ctrl_c():
    model = classifier()

    def interrupt(batch, logs=None):
        assert model.layers[1].momentum == pytest.approx(0.9)
        raise KeyboardInterrupt

    labeler = PseudoLabeler(IMAGES[30:])
    stop = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            labeler.mixed_with(LABELED, 30),
            callbacks=[labeler, stop],
            verbose=0,
        )
    assert model.layers[1].momentum == 0.99


def test_a_lower_momentum_stays():
    model = classifier(momentum=0.3)
    seen = []
    labeler = PseudoLabeler(IMAGES[30:])
    see = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: seen.append(model.layers[1].momentum)
    )
    data = labeler.mixed_with(LABELED, 30)
    model.fit(data, callbacks=[labeler, see], verbose=0)
    assert seen == [0.3]


@pytest.mark.tensorflow
def test_datasets_are_sampled_as_arrays_are():
    import tensorflow as tf

    labeled = tf.data.Dataset.from_tensor_slices(LABELED)
    labeler = PseudoLabeler(IMAGES[30:])
    samples = []
    for source in (LABELED, labeled):
        labeler.mixed_with(source)
        samples.append(labeler._batches.labeled_sample(7))
    for images, classes in samples:
        rows = [0, 4, 9, 14, 19, 24, 29]
        np.testing.assert_array_equal(images, LABELED[0][rows])
        np.testing.assert_array_equal(classes, LABELED[1][rows])
