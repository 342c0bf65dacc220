import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

import keras_fewlabels as kfl

DIGITS = load_digits()
IMAGES = DIGITS.images[..., None].astype("float32") / 16
LABELS = DIGITS.target


@pytest.fixture(scope="module")
def mixed():
    """Ten labels of each of five digits, and a pool of all ten digits."""
    order = np.random.default_rng(0).permutation(1000)
    chosen = np.concatenate(
        [order[LABELS[order] == number][:10] for number in range(5)]
    )
    rest = np.setdiff1d(order, chosen)
    return (IMAGES[chosen], LABELS[chosen]), IMAGES[rest], LABELS[rest]


@pytest.fixture(scope="module")
def model():
    """A classifier whose features are the pixels."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, "softmax"),
        ]
    )


@pytest.fixture(scope="module")
def examination(model, mixed):
    labeled, pool, _ = mixed
    test = IMAGES[1500:1510], LABELS[1500:1510] % 5
    return kfl.evaluation.examine_pool(
        *(model, labeled, np.concatenate([pool, test[0][:3]])),
        test_data=test,
        num_shown=7,
        class_names=list("01234"),
        verbose=0,
    )


def test_foreign_digits_are_named(examination, mixed):
    truth = mixed[2] >= 5
    scores = examination.scores[: len(truth)]
    assert roc_auc_score(truth, scores) > 0.95
    is_foreign = examination.is_foreign[: len(truth)]
    assert is_foreign[truth].mean() > 0.6 > 0.3 > is_foreign[~truth].mean()


def test_shares_are_those_of_the_digits_with_labels(examination, mixed):
    _, _, truth = mixed
    counts = np.bincount(truth[truth < 5])
    found = examination.class_shares
    assert np.abs(found - counts / counts.sum()).max() < 0.1
    low, high = examination.class_intervals.T
    assert ((low <= found) & (found <= high)).all()
    assert examination.missing_classes == []


def test_copies_of_test_images_are_leaks(examination, mixed):
    count = len(mixed[1])
    assert examination.leaks.tolist() == [count, count + 1, count + 2]


def test_figure_and_veto_hold_the_first_images_and_all_named_ones(
    examination, mixed, tmp_path
):
    pool = np.concatenate([mixed[1], IMAGES[1500:1503]])
    order = np.argsort(-examination.scores, kind="stable")
    np.testing.assert_array_equal(examination.images, pool[order[:7]])
    examination.save(tmp_path)
    file = tmp_path / "veto.csv"
    suggested = file.read_text().replace(",,yes,", ",yes,yes,")
    file.write_text(suggested)
    expected = examination.is_foreign
    expected[examination.leaks] = True
    vetoed = kfl.data.read_veto(pool, file)
    np.testing.assert_array_equal(vetoed, np.flatnonzero(expected))


def test_missing_class_is_named(model, mixed):
    labeled, pool, truth = mixed
    examination = kfl.evaluation.examine_pool(
        model, labeled, pool[(truth < 5) & (truth != 2)], verbose=0
    )
    assert examination.missing_classes == [2]


def test_datasets_one_hot_labels_and_a_feature_model(model, mixed, examination):
    labeled, pool, _ = mixed
    features = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    )
    targets = np.eye(5, dtype="float32")[labeled[1]]
    found = kfl.evaluation.examine_pool(
        model,
        (labeled[0], targets),
        np.concatenate([pool, IMAGES[1500:1503]]),
        feature_model=features,
        verbose=0,
    )
    np.testing.assert_allclose(found.scores, examination.scores, atol=1e-4)
    assert len(found.leaks) == 0


def test_several_labels_are_examined_without_shares(mixed):
    labeled, pool, truth = mixed
    rows = np.stack([labeled[1] % 2 == 0, labeled[1] < 2], axis=1)
    several = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, "sigmoid"),
        ]
    )
    examination = kfl.evaluation.examine_pool(
        *(several, (labeled[0], rows.astype("float32")), pool),
        class_names=["even", "small"],
        verbose=0,
    )
    assert roc_auc_score(truth >= 5, examination.scores) > 0.95
    is_foreign = examination.is_foreign
    assert is_foreign[truth >= 5].mean() > 0.5 > is_foreign[truth < 5].mean()
    assert examination.class_shares is None
    assert examination.to_dict()["class_shares"] is None
    assert "share" not in str(examination)


def test_one_label_per_class_leaves_the_shares_unknown(model, mixed):
    (images, labels), pool, _ = mixed
    examination = kfl.evaluation.examine_pool(
        model, (images[::10], labels[::10]), pool, verbose=0
    )
    assert examination.class_shares is None
    assert examination.foreign_share is None
    assert (examination.weights == 1).all()


def test_changed_copies_of_photographs_are_found(photographs):
    images = photographs(64)
    changed = np.stack(
        [
            np.asarray(Image.fromarray(image[2:62, 1:61]).resize((64, 64)))
            for image in images
        ]
    )
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            keras.layers.AveragePooling2D(16),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    examination = kfl.evaluation.examine_pool(
        *(model, (images[:4], [0, 1, 0, 1]), changed),
        validation_data=(images[4:], [0, 1]),
        verbose=0,
    )
    assert [
        (copy.index, copy.other_part, copy.other_index)
        for copy in examination.copies
        if copy.part == "unlabeled"
    ] == [
        *((number, "labeled", number) for number in range(4)),
        *((4, "validation", 0), (5, "validation", 1)),
    ]
    assert examination.leaks.tolist() == [4, 5]
