import concurrent.futures

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import GifImagePlugin, Image, TiffImagePlugin

from keras_fewlabels.data.folders import decode_image as decode_image_module
from keras_fewlabels.data.folders.decode_image import (
    UnusableImage,
    decode_image,
    resize_image,
)

COLOR = (200, 100, 40)


def pixel(path, color_mode="rgb"):
    image, converted = decode_image(path, color_mode)
    return np.asarray(image)[0, 0].tolist(), converted


@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("size", [(4, 9), (30, 10), (21, 33)], ids=str)
@pytest.mark.parametrize("color_mode", ["rgb", "grayscale"])
def test_ordinary_images_are_read_as_keras_reads_them(
    save, color_mode, size, crop
):
    path = save("image.jpg", size=(21, 33))
    expected = keras.utils.load_img(
        path, color_mode, size, "bilinear", keep_aspect_ratio=crop
    )
    image, converted = decode_image(path, color_mode)
    found = resize_image(image, size, crop)
    assert converted == {}
    assert found.dtype == np.uint8
    assert found.shape == (*size, 3 if color_mode == "rgb" else 1)
    np.testing.assert_array_equal(
        found, keras.utils.img_to_array(expected, dtype="uint8")
    )


@pytest.mark.parametrize("color_mode", ["rgb", "grayscale"])
@pytest.mark.parametrize(
    "at_least, size",
    [
        (61, (200, 120)),
        (60, (100, 60)),
        (31, (100, 60)),
        (30, (50, 30)),
        (1, (25, 15)),
    ],
)
def test_large_photographs_are_decoded_in_part(
    save, tmp_path, at_least, size, color_mode
):
    noise = Image.open(save("noise.png", size=(12, 20)))
    path = tmp_path / "photo.jpg"
    noise.resize((200, 120), Image.Resampling.BICUBIC).save(path, quality=95)
    image, converted = decode_image(path, color_mode, at_least)
    assert image.size == size and converted == {}
    whole, _ = decode_image(path, color_mode)
    assert whole.size == (200, 120)
    other = np.asarray(whole.resize(size, Image.Resampling.BICUBIC), int)
    found, expected = (
        resize_image(each, size[::-1]).reshape(other.shape).astype(int)
        for each in (image, whole)
    )
    difference = np.abs(found - expected).mean()
    # Not much more than another interpolation changes.
    assert difference <= 2 * np.abs(other - expected).mean()


def test_a_part_of_a_photograph_is_turned_upright(tmp_path):
    image, exif = Image.new("RGB", (160, 80)), Image.Exif()
    image.paste("white", (0, 0, 80, 80))  # the left half
    exif[0x0112] = 6
    image.save(tmp_path / "photo.jpg", exif=exif)
    upright, _ = decode_image(tmp_path / "photo.jpg", at_least=20)
    assert upright.size == (20, 40)
    levels = np.asarray(upright)
    assert levels[:20].min() > 250 and levels[21:].max() < 5


def test_parts_of_files_with_two_pictures_and_of_print(tmp_path):
    noise = Image.effect_noise((160, 120), 60)
    noise.convert("RGB").save(
        tmp_path / "two.mpo", save_all=True, append_images=[noise]
    )
    image, converted = decode_image(tmp_path / "two.mpo", at_least=30)
    assert image.size == (40, 30) and converted == {}
    ink = Image.new("CMYK", (160, 120), (0, 255, 255, 0))
    ink.save(tmp_path / "ink.jpg")
    image, converted = decode_image(tmp_path / "ink.jpg", at_least=30)
    assert image.size == (40, 30) and converted == {"CMYK": "JPEG"}
    np.testing.assert_allclose(image.getpixel((3, 3)), [255, 0, 0], atol=3)


def test_files_of_other_formats_are_decoded_as_a_whole(save):
    for suffix in "png", "webp", "tiff":
        path = save(f"image.{suffix}", size=(40, 50))
        assert decode_image(path, at_least=10)[0].size == (50, 40)


@pytest.mark.parametrize("depth", [">u2", "<u2"])
def test_of_16_bits_the_upper_8_are_taken(tmp_path, depth):
    values = np.full((2, 3), 200 * 256 + 255, depth)
    Image.fromarray(values).save(tmp_path / "deep.tiff")
    Image.fromarray(values.astype("uint16")).save(tmp_path / "deep.png")
    for name, kind in ("deep.tiff", "TIFF"), ("deep.png", "PNG"):
        color, converted = pixel(tmp_path / name)
        assert color == [200, 200, 200]
        assert converted == {"grey": kind, "16 bits": kind}
        # Grey is what was asked for.
        level, converted = pixel(tmp_path / name, "grayscale")
        assert (level, converted) == (200, {"16 bits": kind})


def test_colours_of_16_bits_are_named_too(tmp_path):
    # Pillow cannot write them: a PNG made by hand, of one pixel.
    import struct
    import zlib

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    (tmp_path / "deep.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" + bytes((200, 9, 100, 9, 40, 9))))
        + chunk(b"IEND", b"")
    )
    assert pixel(tmp_path / "deep.png") == ([*COLOR], {"16 bits": "PNG"})


def test_transparent_images_are_laid_over_white(tmp_path):
    for name, alpha, expected in (
        ("clear", 0, [255, 255, 255]),
        ("half", 128, [227, 177, 147]),
        ("opaque", 255, [*COLOR]),
    ):
        path = tmp_path / f"{name}.png"
        Image.new("RGBA", (2, 2), (*COLOR, alpha)).save(path)
        color, converted = pixel(path)
        np.testing.assert_allclose(color, expected, atol=1)
        assert converted == {"transparent": "PNG"}
    Image.new("LA", (2, 2), (9, 0)).save(tmp_path / "grey.png")
    color, converted = pixel(tmp_path / "grey.png")
    assert color == [255, 255, 255]
    assert converted == {"grey": "PNG", "transparent": "PNG"}


def test_colours_of_print_and_of_a_palette(tmp_path):
    Image.new("CMYK", (2, 2), (0, 255, 255, 0)).save(tmp_path / "red.jpg")
    color, converted = pixel(tmp_path / "red.jpg")
    np.testing.assert_allclose(color, [255, 0, 0], atol=3)
    assert converted == {"CMYK": "JPEG"}
    Image.new("RGB", (2, 2), COLOR).quantize(4).save(tmp_path / "few.gif")
    assert pixel(tmp_path / "few.gif") == ([*COLOR], {"palette": "GIF"})


def test_of_several_frames_the_first_one_is_taken(tmp_path):
    frames = [Image.new("RGB", (2, 2), color) for color in (COLOR, "blue")]
    frames[0].save(
        tmp_path / "film.png", save_all=True, append_images=frames[1:]
    )
    assert pixel(tmp_path / "film.png") == ([*COLOR], {"frames": "PNG"})


def test_photographs_are_turned_upright(tmp_path):
    image = Image.new("RGB", (8, 4))
    image.paste("white", (0, 0, 4, 4))  # the left half
    for orientation, corner in (1, "left"), (3, "right"), (6, "top"):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(tmp_path / "photo.png", exif=exif)
        upright, _ = decode_image(tmp_path / "photo.png")
        levels = np.asarray(upright)[..., 0]
        assert levels.shape == ((8, 4) if corner == "top" else (4, 8))
        bright = {
            "left": levels[:, :4],
            "right": levels[:, 4:],
            "top": levels[:4],
        }[corner]
        assert bright.min() == 255 and levels.mean() == 127.5


@pytest.mark.parametrize(
    "name, content, kind",
    [
        ("empty.jpg", b"", "empty"),
        ("text.jpg", b"not an image", "no image"),
        # Pillow would start Ghostscript for it.
        ("drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "no image"),
        ("header.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no image|damaged"),
    ],
)
def test_files_that_are_no_images(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableImage, match=f"^({kind})"):
        decode_image(tmp_path / name)


def test_truncated_and_missing_files(save, tmp_path):
    path = save("image.jpg", size=(99, 99))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UnusableImage, match=r"^damaged: .*truncated"):
        decode_image(path)
    with pytest.raises(UnusableImage, match=r"^unreadable: No such file"):
        decode_image(tmp_path / "missing.jpg")


def test_pixels_without_a_known_white_are_refused(tmp_path):
    Image.fromarray(np.full((2, 2), 0.5, "float32")).save(tmp_path / "f.tiff")
    Image.fromarray(np.full((2, 2), 2**20, "int32")).save(tmp_path / "i.tiff")
    for name in "f.tiff", "i.tiff":
        with pytest.raises(UnusableImage, match=r"^unsupported"):
            decode_image(tmp_path / name)


@pytest.mark.parametrize("pixels", [9, 17, 30])
def test_the_limit_of_pillow_is_the_limit(save, monkeypatch, pixels):
    path = save("image.png", size=(6, 5))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels)
    if pixels == 30:
        decode_image(path)
        return
    # Pillow warns of images up to twice as large, and reads them.
    with pytest.raises(UnusableImage, match=f"^unsupported.* {pixels} "):
        decode_image(path)


def test_large_images_are_not_decoded_at_the_same_time(save, monkeypatch):
    budget = decode_image_module._Budget(50)
    monkeypatch.setattr(decode_image_module, "_DECODED", budget)
    most, converted = [], decode_image_module._converted

    def watched(image, *args):
        most.append(budget.num_free)
        return converted(image, *args)

    monkeypatch.setattr(decode_image_module, "_converted", watched)
    paths = [save(f"{n}.png", size=(4 + n % 5, 5)) for n in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(decode_image, [*paths, save("large.png", size=(9, 9))]))
    assert min(most) == 0 and budget.num_free == 50


def test_room_is_given_back_after_an_error(save):
    path = save("image.jpg", size=(99, 99))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UnusableImage):
        decode_image(path)
    budget = decode_image_module._DECODED
    assert budget.num_free == budget.num_pixels


def test_of_many_pages_only_the_first_is_looked_at(tmp_path, monkeypatch):
    for file in TiffImagePlugin.TiffImageFile, GifImagePlugin.GifImageFile:
        monkeypatch.setattr(file, "n_frames", property(pytest.fail))
    frames = [Image.new("L", (2, 2), 7 * n) for n in range(1, 9)]
    for name in "pages.tiff", "film.gif":
        path = tmp_path / name
        frames[0].save(path, save_all=True, append_images=frames[1:])
        for plugin in (
            TiffImagePlugin.TiffImageFile,
            GifImagePlugin.GifImageFile,
        ):
            monkeypatch.setattr(plugin, "n_frames", property(pytest.fail))
        color, converted = pixel(path)
        assert color == [7, 7, 7] and "frames" in converted
    Image.new("L", (2, 2), 7).save(tmp_path / "one.tiff")
    assert "frames" not in pixel(tmp_path / "one.tiff")[1]


@pytest.mark.parametrize(
    "name, head, of_a_pixel",
    [
        ("plain.ppm", "P3 {0} {0} 255 ", b"9 9 9\n"),
        ("plain.pgm", "P2 {0} {0} 255 ", b"9\n"),
        ("plain.pbm", "P1 {0} {0} ", b"1\n"),
        ("levels.ppm", "P6 {0} {0} 254 ", b"abc"),
    ],
)
def test_what_python_would_decode_is_small_or_refused(
    tmp_path, name, head, of_a_pixel
):
    path = tmp_path / name
    path.write_bytes(head.format(3).encode() + 9 * of_a_pixel)
    assert decode_image(path)[0].size == (3, 3)
    path.write_bytes(head.format(600).encode() + of_a_pixel)
    with pytest.raises(UnusableImage, match=r"^unsupported: .*save it as PNG"):
        decode_image(path)


@hypothesis.settings(
    derandomize=True,
    deadline=None,
    max_examples=100,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(
    suffix=st.sampled_from(["jpg", "png", "gif", "bmp", "tiff", "webp"]),
    place=st.floats(0, 1),
    bytes_there=st.binary(min_size=1, max_size=8),
    cut=st.booleans(),
)
def test_broken_files_are_images_or_unusable(
    save, suffix, place, bytes_there, cut
):
    path = save(f"image.{suffix}", size=(24, 17))
    content = path.read_bytes()
    start = int(place * len(content))
    rest = b"" if cut else content[start + len(bytes_there) :]
    path.write_bytes(content[:start] + bytes_there + rest)
    try:
        image, _ = decode_image(path)
    except UnusableImage as error:
        assert error.kind in ("no image", "damaged", "unsupported")
    else:
        assert image.mode == "RGB"
        assert resize_image(image, (4, 3)).shape == (4, 3, 3)
