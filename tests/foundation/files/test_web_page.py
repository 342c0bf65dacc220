import base64
import hashlib
import io
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from keras_fewlabels.foundation.files import web_page

RNG = np.random.default_rng(0)


def decoded(address):
    head, _, content = address.partition(",")
    return head, np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


def test_a_policy_allows_this_style_and_script_alone(tmp_path):
    (tmp_path / "page.css").write_text("p { color: red; }\n")
    parts = web_page.web_page_parts(tmp_path, {})
    assert parts["style"].endswith("p { color: red; }\n")
    hashes = {
        kind: base64.b64encode(hashlib.sha256(parts[kind].encode()).digest())
        for kind in ("style", "script")
    }
    assert parts["policy"].split("; ") == [
        *("default-src 'none'", "img-src data:", "base-uri 'none'"),
        "form-action 'none'",
        *(f"{k}-src 'sha256-{h.decode()}'" for k, h in hashes.items()),
    ]


@pytest.mark.parametrize("kind", ["css", "js"])
def test_the_files_end_in_a_line_and_can_be_put_into_a_page(kind):
    package = pathlib.Path(web_page.__file__).parents[2]
    files = list(package.rglob(f"*page.{kind}"))
    assert len(files) >= 3
    for file in files:
        text = file.read_text("utf-8")
        assert text.endswith("}\n") or text.endswith(";\n")
        assert not re.search(r"</(script|style)|<!--|\$\$", text, re.I)


def test_small_images_are_kept_as_they_are():
    image = RNG.random((47, 8, 3))
    head, pixels = decoded(web_page.embedded_image(image, (0, 1)))
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(pixels, np.rint(255 * image))


def test_large_images_are_shrunk_in_proportion():
    image = np.full((300, 150, 1), -0.5, "float32")
    head, pixels = decoded(web_page.embedded_image(image, (-1, 1), 100))
    assert head == "data:image/jpeg;base64"
    assert pixels.shape == (100, 50) and abs(pixels - 64.0).max() <= 1


def test_names_and_links():
    assert web_page.image_name("/a/b.png", 3) == "b.png"
    assert web_page.image_name("", 3) == "image 3"
    assert web_page.file_link("/a b/%.png") == "file:///a%20b/%25.png"
    assert web_page.file_link("") == ""
