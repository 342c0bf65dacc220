import keras
import numpy as np

from keras_fewlabels.loops.rand_augment_trials import RandAugmentTrials


def test_table_and_ties():
    trials = RandAugmentTrials(
        {(0, 0): 0.5, (3, 7): 0.75, (1, 10): 0.75, (1, 2.5): 0.75}
    )
    assert (trials.num_ops, trials.magnitude) == (1, 2.5)
    assert str(trials).splitlines() == [
        "num_ops  magnitude  accuracy in %",
        "      0          0           50.0",
        "      3          7           75.0",
        "      1         10           75.0",
        "      1        2.5           75.0  <- best",
    ]


def test_layer_without_augmentation_passes_images_through():
    images = np.random.default_rng(0).integers(256, size=(4, 6, 6, 1))
    images = images.astype("uint8")
    trials = RandAugmentTrials({(0, 0): 0.5, (1, 9): 0.25})
    output = keras.ops.convert_to_numpy(trials.layer()(images, training=True))
    np.testing.assert_array_equal(output, images)
