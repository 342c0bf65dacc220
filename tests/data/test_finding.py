import pathlib
import re

import keras_fewlabels
from keras_fewlabels.data.finding import SKIPPED, USED, Finding

DATA = pathlib.Path(keras_fewlabels.__file__).parent / "data"


def test_details_may_be_empty():
    assert Finding("grey", "test", "a.png").detail == ""


def test_each_kind_is_found_somewhere():
    # A kind that is found but not in the tables would never be reported.
    assert not SKIPPED.keys() & USED.keys()
    sources = "".join(
        path.read_text()
        for path in DATA.glob("*.py")
        if path.name != "finding.py"
    )
    for kind in SKIPPED.keys() | USED.keys():
        assert f'"{kind}"' in sources
    named = re.findall(r'(?:UnusableImage|Finding)\(\s*"([\w ]+)"', sources)
    assert named and set(named) <= SKIPPED.keys() | USED.keys()
