import threading

import numpy as np
from PIL import Image

from keras_fewlabels.data.examine_images import examine_images


def test_images_and_other_files_in_their_order(save, tmp_path):
    names = [f"{number:04d}.png" for number in range(30)]
    for name in names:
        save(name, size=(5, 7))
    (tmp_path / names[3]).write_bytes(b"")
    (tmp_path / names[8]).write_text("text")
    save(names[5], mode="L", size=(5, 7))
    seen = []
    images, findings = examine_images(
        "test",
        str(tmp_path),
        names,
        [*range(30)],
        "rgb",
        lambda: seen.append(1),
    )
    kept = [name for name in names if name not in (names[3], names[8])]
    assert [image.file for image in images] == kept
    assert [image.path for image in images] == [
        str(tmp_path / name) for name in kept
    ]
    assert [image.label for image in images] == [int(name[:4]) for name in kept]
    assert {(image.part, image.size) for image in images} == {("test", (5, 7))}
    assert len({image.pixels for image in images}) == 28
    assert [(each.kind, each.file) for each in findings] == [
        ("empty", names[3]),
        ("grey", names[5]),
        ("no image", names[8]),
    ]
    assert len(seen) == 30


def test_pixels_tell_images_apart_and_files_do_not(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (4, 6, 3), "uint8")
    nearly = noise.copy()
    nearly[3, 5, 2] ^= 1
    for name, image in (
        ("a.png", noise),
        ("b.bmp", noise),
        ("c.png", nearly),
        # The same bytes in another shape.
        ("d.png", noise.reshape(6, 4, 3)),
    ):
        Image.fromarray(image).save(tmp_path / name)
    names = ["a.png", "b.bmp", "c.png", "d.png"]
    images, _ = examine_images(
        "test", str(tmp_path), names, [None] * 4, "rgb", lambda: None
    )
    pixels = [image.pixels for image in images]
    assert pixels[0] == pixels[1]
    assert len(set(pixels)) == 3


def test_no_thread_is_left(save, tmp_path):
    save("a.png")
    before = threading.active_count()
    examine_images("test", str(tmp_path), ["a.png"], [0], "rgb", lambda: None)
    assert threading.active_count() == before
