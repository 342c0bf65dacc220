import keras
import numpy as np
import pytest

import keras_fewlabels as kfl

NAMES = ["dark", "middle", "bright"]


@pytest.fixture
def model():
    """Tells bright images from dark ones."""
    classifier = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    kernel = np.tile([[-10.0, 0.0, 10.0]], (3, 1)) / 3
    classifier.set_weights([kernel, np.zeros(3)])
    return kfl.models.standalone(classifier, NAMES, value_range=(-1, 1))


@pytest.mark.parametrize("level, expected", [(0, NAMES), (255, NAMES[::-1])])
def test_files_and_arrays(level, expected, model, tmp_path):
    from PIL import Image

    photo = np.full((20, 30, 3), level, "uint8")
    Image.fromarray(photo).save(tmp_path / "x.png")
    found = kfl.models.predict_image(model, str(tmp_path / "x.png"))
    assert [name for name, _ in found] == expected
    assert found[0][1] > 0.99
    assert sum(score for _, score in found) == pytest.approx(1, abs=1e-5)
    assert kfl.models.predict_image(model, photo, top=1) == found[:1]


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (1, 20, 30, 3)])
def test_other_images_are_refused(shape, model):
    with pytest.raises(ValueError, match=r"\(height, width, 3\).*Received"):
        kfl.models.predict_image(model, np.zeros(shape))


def test_files_are_turned_upright(model, tmp_path):
    from PIL import Image

    # Dark above, bright below; its file says that it lies on its side.
    photo = np.zeros((20, 30, 3), "uint8")
    photo[10:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo).save(tmp_path / "x.png", exif=exif)
    seen = []
    model.predict = lambda images, verbose: seen.append(images) or np.eye(3)[:1]
    kfl.models.predict_image(model, tmp_path / "x.png")
    upright = np.rot90(photo, -1)
    for side in 0, -1:
        assert (seen[0][0][:, side] == upright[0, side]).all()


def test_files_of_no_image_are_refused(model, tmp_path):
    (tmp_path / "x.png").write_text("no image")
    with pytest.raises(ValueError, match=r"image file.*x\.png.*no image"):
        kfl.models.predict_image(model, tmp_path / "x.png")
    with pytest.raises(FileNotFoundError, match=r"`image`.*y\.png"):
        kfl.models.predict_image(model, tmp_path / "y.png")


def kinds_of_files():
    """Images that decoders read in several ways, by name."""
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 4), "uint8")
    photo = Image.fromarray(noise[..., :3])
    for orientation in (2, 3, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"{orientation}.jpg", photo, {"exif": exif}
    yield "cmyk.jpg", photo.convert("CMYK"), {}
    yield "clear.png", Image.fromarray(noise), {}
    yield "palette.gif", photo.quantize(9), {"transparency": 0}
    yield "deep.png", Image.fromarray(noise[..., 0].astype("uint16") * 256), {}
    yield "grey.webp", photo.convert("L"), {}
    yield "film.gif", photo, {"save_all": True, "append_images": [photo]}


@pytest.mark.parametrize("size", [(8, 6), None], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_files_are_read_as_in_training(channels, size, tmp_path):
    classifier = keras.Sequential(
        [
            keras.Input((None, None, channels)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    model = kfl.models.standalone(
        classifier, NAMES, image_size=size, value_range=(0, 1)
    )
    seen = []
    model.predict = lambda images, verbose: seen.append(images) or np.eye(3)[:1]
    color_mode = {1: "grayscale", 3: "rgb"}[channels]
    for name, image, options in kinds_of_files():
        image.save(tmp_path / name, **options)
        kfl.models.predict_image(model, tmp_path / name)
        shape = seen[-1].shape[1:3]
        files = kfl.data.ImageFiles([tmp_path / name], shape, color_mode)
        np.testing.assert_array_equal(seen[-1][0], files[0])
    shapes = {images.shape[1:3] for images in seen}
    assert shapes == ({(20, 30), (30, 20)} if size is None else {size})
