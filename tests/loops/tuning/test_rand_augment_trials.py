import json

import keras
import numpy as np

from keras_fewlabels.loops.tuning.rand_augment_trials import RandAugmentTrials

TRIALS = RandAugmentTrials(
    {(0, 0): 0.5, (3, 7): 0.75, (1, 10): 0.75, (1, 2.5): 0.75},
    {"table": "fixmatch", "ops": None, "value_range": (0, 1)},
)


def test_table_and_ties():
    assert TRIALS.suggestion == (1, 2.5)
    assert str(TRIALS).splitlines() == [
        "num_ops  magnitude  accuracy in %",
        "      0          0           50.0",
        "      3          7           75.0",
        "      1         10           75.0",
        "      1        2.5           75.0  <- suggestion",
    ]


def test_layer_without_augmentation_passes_images_through():
    images = np.random.default_rng(0).integers(256, size=(4, 6, 6, 1))
    images = images.astype("uint8")
    trials = RandAugmentTrials({(0, 0): 0.5, (1, 9): 0.25}, {})
    output = keras.ops.convert_to_numpy(trials.layer()(images, training=True))
    np.testing.assert_array_equal(output, images)


def test_files(tmp_path):
    TRIALS.save(tmp_path)
    assert (tmp_path / "rand_augment_trials.png").stat().st_size > 0
    content = json.loads((tmp_path / "rand_augment_trials.json").read_text())
    assert content["suggestion"] == {"num_ops": 1, "magnitude": 2.5}
    assert content["trials"][:2] == [
        {"num_ops": 0, "magnitude": 0, "accuracy": 0.5},
        {"num_ops": 3, "magnitude": 7, "accuracy": 0.75},
    ]
    assert content["options"]["table"] == "fixmatch"


def test_ops_that_are_layers_are_saved_as_their_configurations():
    layer = keras.layers.RandomFlip("vertical")
    trials = RandAugmentTrials({(0, 0): 1.0}, {"ops": [layer, "rotate"]})
    flip, rotate = json.loads(json.dumps(trials.to_dict()))["options"]["ops"]
    assert flip["config"]["mode"] == "vertical"
    assert rotate == "rotate"
