import numpy as np

from keras_fewlabels.callbacks.tensorboard.view_cards import (
    Card,
    shades,
    view_cards,
)

BLACK = np.zeros((32, 16, 3), "uint8")
WHITE = BLACK + 255


def test_cards_stand_in_rows():
    cards = [Card(BLACK, WHITE, "") for _ in range(5)]
    sheet = np.asarray(view_cards(cards, num_columns=2))
    assert sheet.shape == (3 * 82 + 2 * 4, 2 * 64 + 4, 3)
    assert (sheet[:64, :32] == 0).all() and (sheet[:64, 32:64] == 255).all()
    assert (sheet[:64, 68:100] == 0).all()
    # There is no sixth card.
    assert (sheet[172:, 68:] == 255).all()


def test_large_images_keep_their_size():
    large = np.zeros((96, 96, 3), "uint8")
    assert view_cards([Card(large, large, "")]).size == (192, 96 + 18)


def test_captions_are_white_and_cut_to_the_card():
    bars = [
        np.asarray(view_cards([Card(BLACK, BLACK, text)]))[64:]
        for text in ("", "a cat", "a cat of a very long name indeed")
    ]
    plain, short, long = ((bar == 255).all(axis=2) for bar in bars)
    assert not plain.any() and short.any()
    assert long.sum() > short.sum()
    assert not long[:, -1].any()


def test_captions_take_one_line():
    # Pillow cannot measure several.
    for text in ("two\nlines", "caf\udce9", "\x00\u202e"):
        sheet = np.asarray(view_cards([Card(BLACK, BLACK, text)]))
        assert (sheet[64:] == 255).all(axis=2).any()


def test_shades_of_a_value_range():
    images = np.array([-2.0, -1.0, 0.0, 1.0]).reshape(1, 2, 2, 1)
    levels = shades(images, (-1, 1))
    assert levels.shape == (1, 2, 2, 3) and levels.dtype == "uint8"
    assert levels[0, :, :, 0].ravel().tolist() == [0, 0, 128, 255]
