import io
import sys

import keras
import numpy as np
import pytest
from keras import layers

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.tensorboard.tensorboard_images import ImageEvents

pytestmark = pytest.mark.usefixtures("eager")

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 8, 8, 1), "uint8")
LABELS = np.arange(40) % 3
NAMES = ["cat", "dog", "Käfer"]


def classifier(*front):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *front,
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def written(log_dir):
    """Dict of tags to a dict of steps to arrays, as TensorBoard reads them."""
    from PIL import Image
    from tensorboard.backend.event_processing import event_accumulator

    events = event_accumulator.EventAccumulator(
        str(log_dir / "images"), size_guidance={"images": 0}
    ).Reload()
    return {
        tag: {
            event.step: np.asarray(
                Image.open(io.BytesIO(event.encoded_image_string))
            )
            for event in events.Images(tag)
        }
        for tag in events.Tags()["images"]
    }


def fit_student(
    callbacks, method=kfl.models.NoisyStudentModel, epochs=3, **options
):
    model = method(
        classifier(layers.Rescaling(1 / 255)),
        noise=kfl.layers.RandAugment(1, 9, ops=["brightness"], seed=1),
        **options,
    )
    model.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
    data = kfl.data.mix_labeled_unlabeled(
        (IMAGES[:8], LABELS[:8]), IMAGES[8:], 8, seed=0
    )
    model.fit(data, epochs=epochs, callbacks=callbacks, verbose=0)
    return model


def colors_of(sheet):
    """The colors of the bars, row by row, of images of 8 pixels."""
    return [
        tuple(int(level) for level in sheet[row + 80, column + 120])
        for row in range(0, sheet.shape[0], 86)
        for column in range(0, sheet.shape[1], 132)
    ]


def test_views_of_a_noisy_student(graphs, tmp_path):
    callback = kfl.callbacks.TensorBoardImages(
        tmp_path,
        (IMAGES[:8], LABELS[:8]),
        IMAGES[8:],
        truth=LABELS[8:],
        class_names=NAMES,
        num_images=6,
        every=2,
    )
    policy = kfl.policies.FixedThreshold(0.5)
    model = fit_student([callback], policy=policy)
    found = written(tmp_path)
    assert set(found) == {"views/labelled", "views/unlabelled"}
    for sheets in found.values():
        assert list(sheets) == [0, 2]
        # Two rows of three cards; drawn anew in each epoch.
        assert sheets[2].shape == (2 * 82 + 4, 3 * 128 + 2 * 4, 3)
        assert np.abs(sheets[0].astype(int) - sheets[2]).max() > 30
    sheet = found["views/unlabelled"][2]
    # On the left the image as it is, eight times as large.
    expected = IMAGES[8].repeat(8, axis=0).repeat(8, axis=1)
    np.testing.assert_array_equal(
        sheet[:64, :64], np.broadcast_to(expected, (64, 64, 3))
    )
    assert (sheet[:64, 64:128] != sheet[:64, :64]).mean() > 0.2
    probabilities = keras.ops.convert_to_numpy(
        model.teach(keras.ops.convert_to_tensor(IMAGES[8:14]))
    )
    green, red, grey, reddish = (
        *[(46, 125, 50), (198, 40, 40)],
        *[(141, 141, 141), (181, 106, 106)],
    )
    assert colors_of(sheet) == [
        (green if right else red) if counts else (grey if right else reddish)
        for counts, right in zip(
            probabilities.max(axis=1) >= 0.5,
            probabilities.argmax(axis=1) == LABELS[8:14],
            strict=True,
        )
    ]


@pytest.mark.parametrize("labeled_noise", ["own", "weak", "weak, of none"])
def test_labelled_images_are_shown_under_their_own_noise(
    labeled_noise, tmp_path
):
    inverted = layers.Rescaling(-1.0, 255.0)
    noise = {"labeled_noise": inverted}
    if labeled_noise != "own":
        is_none = labeled_noise == "weak, of none"
        weak_noise = None if is_none else inverted
        noise = {"labeled_noise": "weak", "weak_noise": weak_noise}
    callback = kfl.callbacks.TensorBoardImages(
        tmp_path, (IMAGES[:8], LABELS[:8]), num_images=1
    )
    fit_student([callback], epochs=1, **noise)
    sheet = written(tmp_path)["views/labelled"][0].astype(int)
    left, right = sheet[:64, :64], sheet[:64, 64:128]
    expected = left if labeled_noise == "weak, of none" else 255 - left
    np.testing.assert_allclose(right, expected, atol=1)


@pytest.mark.parametrize(
    "method",
    [kfl.models.FlexMatch, kfl.models.AdaMatch],
    ids=lambda method: method.__name__,
)
def test_policies_that_ask_for_more(method, tmp_path):
    callback = kfl.callbacks.TensorBoardImages(
        tmp_path, (IMAGES[:8], LABELS[:8]), IMAGES[8:]
    )
    options = {"weak_noise": layers.Identity(), "epochs": 1}
    if method is kfl.models.FlexMatch:
        options["policy"] = kfl.policies.FlexMatchPolicy(num_unlabeled=32)
    fit_student([callback], method=method, **options)
    assert list(written(tmp_path)["views/unlabelled"]) == [0]


def test_what_is_drawn_changes_nothing_in_training(graphs, tmp_path):
    weights = []
    for callbacks in (
        [],
        [kfl.callbacks.TensorBoardImages(tmp_path, unlabeled=IMAGES[8:])],
    ):
        keras.utils.set_random_seed(0)
        weights.append(fit_student(callbacks).get_weights())
    for without, within in zip(*weights, strict=True):
        np.testing.assert_array_equal(without, within)


def test_a_plain_fit_shows_its_augmentation_and_predictions(tmp_path):
    model = classifier()
    callback = kfl.callbacks.TensorBoardImages(
        tmp_path,
        (IMAGES, LABELS),
        IMAGES,
        augment=layers.RandomFlip("horizontal", seed=0),
        num_images=3,
    )
    for _ in range(2):  # A second fit with the same callback.
        model.fit(IMAGES, LABELS, callbacks=[callback], verbose=0)
    found = written(tmp_path)
    sheet = found["views/labelled"][0]
    for card in (sheet[:64, x : x + 128] for x in (0, 132, 264)):
        left, right = card[:, :64], card[:, 64:]
        views = (left, left[:, ::-1])
        assert any(np.array_equal(right, view) for view in views)
    # No policy, no verdict.
    assert set(colors_of(found["views/unlabelled"][0])) == {(69, 90, 100)}


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1)])
def test_floats_are_drawn_as_the_bytes_they_were_made_of(value_range, tmp_path):
    low, high = value_range
    floats = (low + (high - low) * (IMAGES / 255)).astype("float32")
    for name, images in (("bytes", IMAGES), ("floats", floats)):
        callback = kfl.callbacks.TensorBoardImages(
            tmp_path / name, (images, LABELS)
        )
        classifier().fit(images, LABELS, callbacks=[callback], verbose=0)
    assert callback.value_range == value_range
    first, second = (
        written(tmp_path / name)["views/labelled"][0]
        for name in ("bytes", "floats")
    )
    np.testing.assert_array_equal(first, second)


def test_images_come_back(tmp_path):
    from PIL import Image
    from tensorboard.backend.event_processing import event_accumulator

    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3), "uint8")
    events = ImageEvents(tmp_path)
    events.write("a/tag", Image.fromarray(pixels), 7)
    events.flush()
    read = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
    (event,) = read.Images("a/tag")
    assert (event.step, event.width, event.height) == (7, 5, 3)
    (tmp_path / "image.png").write_bytes(event.encoded_image_string)
    found = np.asarray(Image.open(tmp_path / "image.png"))
    np.testing.assert_array_equal(found, pixels)
    events.close()


def test_without_tensorboard_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(
        sys.modules, "tensorboard.summary.writer.event_file_writer", None
    )
    with pytest.raises(ImportError, match=r"keras-fewlabels\[tensorboard\]"):
        ImageEvents(tmp_path)
