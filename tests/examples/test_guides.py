"""The guides run from top to bottom, on small folders and without network."""

import fnmatch
import json
import pathlib
import shutil
import sys
import types

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.saving import saving_lib

GUIDES = pathlib.Path(__file__).parents[2] / "examples" / "guides"
NOTEBOOKS = sorted(GUIDES.glob("*.ipynb"))
NAMES = ["blue", "green", "red"]
pytestmark = pytest.mark.tensorflow


def cells_of(notebook, kind):
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def source_of(cell):
    return "".join(cell["source"])


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Paths of a folder per part, whose classes differ by their colour."""
    root = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for part, count in (("labeled", 4), ("unlabeled", 12), ("test", 4)):
        for channel, name in enumerate(reversed(NAMES)):
            folder = root / part / ("" if part == "unlabeled" else name)
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                image = random.integers(0, 150, (32, 32, 3))
                image[..., channel] += 100
                keras.utils.save_img(
                    folder / f"{name} {number}.png", image, scale=False
                )
    return {part.name: str(part) for part in root.iterdir()}


def backbone():
    """Returns a tiny network that looks as if it came trained."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, strides=4, activation="relu"),
        ],
        name="tiny",
    )
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) for w in model.weights])
    return model


def run(name, parameters, folder, monkeypatch):
    """Runs a guide in a folder, with other values of its parameters."""
    monkeypatch.chdir(folder)
    names = {}
    for number, cell in enumerate(cells_of(GUIDES / f"{name}.ipynb", "code")):
        place = f"{name}, code cell {number}"
        exec(compile(source_of(cell), place, "exec"), names)
        if "parameters" in cell["metadata"].get("tags", []):
            assert number == 0
            assert parameters.keys() <= names.keys()
            names |= parameters
    return names


def local_hub(folder):
    """Returns a stand-in for `huggingface_hub` whose hub is a folder."""

    def upload_folder(repo_id, folder_path, allow_patterns=("*",), **_):
        source = pathlib.Path(folder_path)
        for path in source.rglob("*"):
            name = path.relative_to(source).as_posix()
            if path.is_file() and any(
                fnmatch.fnmatch(name, pattern) for pattern in allow_patterns
            ):
                (folder / repo_id / name).parent.mkdir(
                    parents=True, exist_ok=True
                )
                shutil.copy(path, folder / repo_id / name)

    def snapshot_download(repo_id, **_):
        return str(folder / repo_id)

    api = types.SimpleNamespace(
        create_repo=lambda name, **_: types.SimpleNamespace(repo_id=name),
        upload_folder=upload_folder,
    )
    return types.SimpleNamespace(
        HfApi=lambda **_: api,
        upload_folder=upload_folder,
        snapshot_download=snapshot_download,
    )


@pytest.mark.slow
def test_pretrained_model(photographs, tmp_path, monkeypatch):
    hub = local_hub(tmp_path / "hub")
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setattr(saving_lib, "huggingface_hub", hub)
    names = run(
        "pretrained_model",
        {
            **photographs,
            "backbone": backbone(),
            "time_limit": 1,
            "hub": "me/colours",
        },
        tmp_path,
        monkeypatch,
    )
    assert (tmp_path / "report" / "index.html").exists()
    image = np.full((1, 32, 32, 3), (200, 70, 70), "uint8")
    expected = names["alone"].predict(image, verbose=0)
    # From the file, and from the hub, where there is the card of the report.
    for place in ("report/standalone.keras", "hf://me/colours"):
        model = keras.saving.load_model(place)
        np.testing.assert_allclose(model.predict(image, verbose=0), expected)
    shared = tmp_path / "hub" / "me" / "colours"
    card = (tmp_path / "report" / "README.md").read_text()
    assert (shared / "README.md").read_text() == card
    # No file with paths of images.
    assert not list(shared.glob("*.csv"))


def test_your_own_method(photographs, tmp_path, monkeypatch, eager, request):
    names = run(
        "your_own_method", {**photographs, "epochs": 1}, tmp_path, monkeypatch
    )
    assert len(names["histories"]) == 3
    assert (tmp_path / "method.keras").exists()
    # In a graph, too. The guide's noise takes long to trace.
    request.getfixturevalue("graphs")
    model = names["TwoViews"](
        names["model"].student, policy=names["LeadPolicy"]()
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(names["mixed"], verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.slow
def test_your_own_model(photographs, tmp_path, monkeypatch):
    names = run(
        "your_own_model",
        {**photographs, "steps": (4, 4)},
        tmp_path,
        monkeypatch,
    )
    assert names["report"].to_dict()["baseline"] is not None
    assert (tmp_path / "report" / "model.keras").exists()


@pytest.mark.slow
def test_uneven_classes_messy_pool(photographs, tmp_path, monkeypatch):
    run(
        "uneven_classes_messy_pool",
        {**photographs, "backbone": backbone(), "time_limit": 1},
        tmp_path,
        monkeypatch,
    )
    assert (tmp_path / "pool" / "veto.csv").exists()


@pytest.mark.slow
def test_what_to_label_next(photographs, tmp_path, monkeypatch):
    names = run(
        "what_to_label_next",
        {
            "unlabeled": photographs["unlabeled"],
            "class_names": NAMES,
            "image_size": 32,
            "backbone": backbone(),
            "count": 5,
            "person": lambda paths: [
                pathlib.Path(path).stem.partition(" ")[0] for path in paths
            ],
        },
        tmp_path,
        monkeypatch,
    )
    assert len(names["indices"]) == 25
    files = {path.name for path in (tmp_path / "audit").iterdir()}
    assert files >= {"index.html", "cleanlab.json", "label_studio.json"}


@pytest.mark.slow
def test_several_devices(tmp_path, monkeypatch):
    names = run("several_devices", {"epochs": 1}, tmp_path, monkeypatch)
    losses = {
        name: history["loss"][0] for name, history in names["histories"].items()
    }
    assert len(losses) == 4
    for name in ("MirroredStrategy", "two workers"):
        assert losses[name] == pytest.approx(losses["one device"], rel=1e-4)


@pytest.mark.slow
def test_a_million_images(photographs, tmp_path, monkeypatch):
    names = run(
        "a_million_images",
        {
            "labeled": photographs["labeled"],
            "unlabeled": photographs["unlabeled"],
            "repeats": 10,
            "num_drawn": 40,
        },
        tmp_path,
        monkeypatch,
    )
    assert names["difference"] < 1e-4


def test_robustness_and_changes(photographs, tmp_path, monkeypatch, eager):
    names = run(
        "robustness_and_changes",
        {
            "labeled": photographs["labeled"],
            "test": photographs["test"],
            "epochs": 1,
            "corruptions": ["contrast"],
        },
        tmp_path,
        monkeypatch,
    )
    assert list(names["report"].errors) == ["contrast"]


def test_every_guide_is_tested_and_linked():
    tested = {name.removeprefix("test_") for name in globals()}
    readme = (GUIDES / "README.md").read_text("utf-8")
    for notebook in NOTEBOOKS:
        assert notebook.stem in tested
        assert f"]({notebook.name})" in readme


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_those_of_one_quiet_run(notebook):
    cells = cells_of(notebook, "code")
    numbers = [cell["execution_count"] for cell in cells]
    assert numbers == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    # Small enough to be read in a browser, and without the names of machines.
    text = notebook.read_text("utf-8")
    assert len(text) < 300_000
    assert "/tmp/" not in text
    assert "/home/" not in text


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_to_files(notebook):
    for cell in cells_of(notebook, "markdown"):
        for target in source_of(cell).split("](")[1:]:
            target = target.partition(")")[0]
            assert target.startswith("http") or (GUIDES / target).exists()
