"""Nothing that is loaded runs code, and nothing damaged is loaded unseen."""

import ast
import importlib.util
import json
import pathlib
import re
import warnings

import keras
import numpy as np
import pytest

import keras_fewlabels as kfl
from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.layers.augmentation import Augmentation
from keras_fewlabels.layers.horizontal_flip import HorizontalFlip
from keras_fewlabels.layers.mix_up import MixUp
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    FinishedPhases,
    PhaseBackup,
)
from keras_fewlabels.models.student.balanced_head import BalancedHead
from keras_fewlabels.models.student.fit_progress import FitProgress
from keras_fewlabels.models.student.pseudo_label_metrics import (
    ClassEntropy,
    PseudoLabelMetrics,
)

PACKAGE = pathlib.Path(kfl.__file__).parent
RNG = np.random.default_rng(0)


def neighbour(name):
    """Another test file as a module, to share its tables."""
    path = pathlib.Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"shared_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SERIALIZED = neighbour("test_serialization")
# Parts of the models and their noise, which are saved within them.
PARTS = {
    "Augmentation": lambda: Augmentation([HorizontalFlip(seed=0)]),
    "BalancedHead": lambda: BalancedHead(seed=0),
    "ClassEntropy": lambda: ClassEntropy(7),
    "FitProgress": lambda: FitProgress(name="progress"),
    "HorizontalFlip": lambda: HorizontalFlip(seed=0),
    "MixUp": lambda: MixUp(seed=0),
    "PseudoLabelMetrics": lambda: PseudoLabelMetrics(name="metrics"),
}
LAYERS = {**SERIALIZED.LAYERS, **PARTS}


def registered():
    names = keras.saving.get_custom_objects()
    return {
        name.partition(">")[2]
        for name in names
        if name.startswith("keras_fewlabels>")
    }


def test_every_registered_class_is_tried():
    assert registered() == {*LAYERS, *SERIALIZED.MODELS}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_made_in_safe_mode(name):
    layer = LAYERS[name]()
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(config)), safe_mode=True
    )
    assert type(again) is type(layer)
    assert SERIALIZED.as_json(again.get_config()) == SERIALIZED.as_json(
        layer.get_config()
    )


@pytest.mark.parametrize("name", SERIALIZED.MODELS)
def test_models_are_loaded_in_safe_mode(name, tmp_path):
    file = tmp_path / "model.keras"
    model = SERIALIZED.MODELS[name]()
    model.save(file)
    loaded = keras.saving.load_model(file, safe_mode=True)
    assert type(loaded) is type(model)
    for weight, same in zip(
        model.get_weights(), loaded.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, same)
    intact = file.read_bytes()
    file.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(Exception, match=r"."):
        keras.saving.load_model(file, safe_mode=True)


def test_code_of_others_is_not_run():
    # A layer of this package as the wrapper of one that Keras refuses.
    code = keras.layers.Lambda(lambda x: x)
    wrapper = kfl.layers.StochasticResidual(code)
    config = keras.saving.serialize_keras_object(wrapper)
    with pytest.raises(ValueError, match="safe_mode"):
        keras.saving.deserialize_keras_object(config, safe_mode=True)
    augment = kfl.layers.RandAugment(ops=[code])
    configs = [keras.saving.serialize_keras_object(augment)]
    for kind in ("DebiasedPolicy", "DistributionAlignment"):
        outer = getattr(kfl.policies, kind)(kfl.policies.FixedThreshold())
        configs.append(keras.saving.serialize_keras_object(outer))
        configs[-1]["config"]["policy"] = keras.saving.serialize_keras_object(
            code
        )
    for config in configs:
        with pytest.raises(ValueError, match="safe_mode"):
            keras.saving.deserialize_keras_object(config, safe_mode=True)


def unsafe_parts(tree):
    """What a source file could run foreign code with."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            names.append(getattr(node, "module", None) or "")
            for name in names:
                if name.partition(".")[0] in UNSAFE_MODULES:
                    yield name
        elif isinstance(node, ast.Name) and node.id in UNSAFE_NAMES:
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr == "Lambda":
            yield node.attr
        elif isinstance(node, ast.keyword):
            value = getattr(node.value, "value", None)
            if UNSAFE_KEYWORDS.get(node.arg, value) != value:
                yield node.arg


UNSAFE_MODULES = {"pickle", "marshal", "dill", "joblib", "shelve"}
UNSAFE_NAMES = {"eval", "exec", "__import__", "Lambda"}
# With the one value they may have.
UNSAFE_KEYWORDS = {"allow_pickle": False, "safe_mode": True}


def test_no_source_can_run_foreign_code():
    for path in sorted(PACKAGE.rglob("*.py")):
        assert list(unsafe_parts(ast.parse(path.read_text()))) == [], path


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import joblib.numpy_pickle as fast",
        "from marshal import loads",
        "eval('1')",
        "exec('1')",
        "np.load(file, allow_pickle=True)",
        "np.load(file, allow_pickle=flag)",
        "keras.saving.load_model(file, safe_mode=False)",
        "keras.layers.Lambda(abs)",
        "from keras.layers import Lambda\nLambda(abs)",
    ],
)
def test_what_could_is_found(source):
    assert list(unsafe_parts(ast.parse(source)))


# Files that are damaged. Each store writes, and reads back what it wrote: the
# same each time, or `None` where it has to be made anew.


def model_of(value):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    model.set_weights([np.full(w.shape, value) for w in model.get_weights()])
    return model


def read_cache(folder):
    arrays = ArrayStore(folder).read("labels", "made of this")
    return arrays and {name: part.tolist() for name, part in arrays.items()}


def write_cache(folder):
    arrays = {"labels": np.arange(9), "confidence": RNG.random(9)}
    ArrayStore(folder).write("labels", "made of this", arrays)


def run_phase(folder, train):
    student = model_of(0)
    phases = FinishedPhases(folder, lambda: "run")
    details = phases.run("phase", [student], lambda backup: train(student))
    return details, [weight.tolist() for weight in student.get_weights()]


def become(student, number, details):
    student.set_weights(model_of(number).get_weights())
    return details


def write_phase(folder):
    run_phase(folder, lambda student: become(student, 3, {"steps": 3}))


def read_phase(folder):
    found = run_phase(
        folder, lambda student: become(student, 7, {"anew": True})
    )
    return None if found[0] == {"anew": True} else found


def write_backup(folder):
    backup = PhaseBackup(folder)
    backup.set_model(model_of(3))
    for epoch in range(2):
        backup.on_epoch_begin(epoch)
        backup.on_epoch_end(epoch, {"loss": 0.5, "accuracy": 0.25})


def read_backup(folder):
    backup, model = PhaseBackup(folder), model_of(7)
    epoch = backup.resume(model)
    weights = [weight.tolist() for weight in model.get_weights()]
    if epoch is None:
        # As new: neither weights nor history of the backup.
        assert weights == [w.tolist() for w in model_of(7).get_weights()]
        assert backup.history == {} and backup.seconds == {}
        return None
    return epoch, backup.history, backup.seconds, weights


# Name: (how it is written and read, the file, flips that change nothing).
# Some bits of a zip archive say nothing of the arrays, such as dates.
STORES = {
    "labels": (write_cache, read_cache, "labels.npz", True),
    "finished phase": (write_phase, read_phase, "phase.npz", True),
    "backup of a phase": (
        write_backup,
        read_backup,
        "fit_backup_000002.npz",
        True,
    ),
}


def damages(intact):
    for size in (0, 1, len(intact) // 2, len(intact) - 1):
        yield intact[:size]
    for place in RNG.integers(0, len(intact), 12):
        flipped = bytearray(intact)
        flipped[place] ^= 1 << RNG.integers(8)
        yield bytes(flipped)


@pytest.mark.parametrize(
    "write, read, name, has_idle_bits", STORES.values(), ids=STORES
)
def test_no_damage_passes_unseen(write, read, name, has_idle_bits, tmp_path):
    write(tmp_path)
    file = tmp_path / name
    intact, expected = file.read_bytes(), read(tmp_path)
    assert expected is not None
    num_named = 0
    for content in damages(intact):
        file.write_bytes(content)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = read(tmp_path)
        messages = [str(warning.message) for warning in caught]
        is_named = any(f"{file} is damaged" in text for text in messages)
        assert is_named == (found is None)
        assert found is None or (has_idle_bits and found == expected)
        num_named += is_named
        # What was made anew may lie there now.
        file.write_bytes(intact)
        assert read(tmp_path) == expected
    assert num_named >= 8


@pytest.mark.parametrize("content", [b"", b'"1f0c', b"\xff", b'"other"'])
def test_the_identity_of_a_run_is_refused_when_damaged(content, tmp_path):
    write_phase(tmp_path)
    (tmp_path / "run.json").write_bytes(content)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    expected = "(?s)run.*Received: " + re.escape(repr(str(tmp_path)))
    with pytest.raises(ValueError, match=expected):
        read_phase(tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before
