"""`add_stochastic_depth` on the backbones of keras-hub, if it is installed."""

import keras
import numpy as np
import pytest

from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.models import add_stochastic_depth

keras_hub = pytest.importorskip("keras_hub")
# The copied graphs are the same on every backend; JAX takes half a minute.
pytestmark = pytest.mark.tensorflow


def resnet(block_type, use_pre_activation):
    return {
        "input_conv_filters": [64],
        "input_conv_kernel_sizes": [7],
        "stackwise_num_filters": [64, 64],
        "stackwise_num_blocks": [2, 2],
        "stackwise_num_strides": [1, 2],
        "block_type": block_type,
        "use_pre_activation": use_pre_activation,
        "image_shape": (32, 32, 3),
    }


def csp(block_type, stage_type, ratio):
    return {
        "stem_filters": 8,
        "stem_kernel_size": 3,
        "stem_strides": 2,
        "stackwise_depth": [1, 2],
        "stackwise_strides": [1, 2],
        "stackwise_num_filters": [16, 32],
        "bottle_ratio": [ratio],
        "block_ratio": [ratio],
        "block_type": block_type,
        "stage_type": stage_type,
        "image_shape": (32, 32, 3),
    }


@pytest.mark.parametrize(
    "name, num_branches, config",
    [
        ("ResNetBackbone", 4, resnet("basic_block", False)),
        ("ResNetBackbone", 4, resnet("bottleneck_block", True)),
        ("ResNetBackbone", 4, resnet("bottleneck_block_vd", False)),
        ("CSPNetBackbone", 3, csp("dark_block", "dark", 1.0)),
        ("CSPNetBackbone", 3, csp("bottleneck_block", "csp", 0.5)),
        ("CSPNetBackbone", 3, csp("edge_block", "cs3", 0.5)),
        (
            "XceptionBackbone",
            1,
            {
                "stackwise_conv_filters": [[8, 16], [16, 16, 16], [32, 32]],
                "stackwise_pooling": [True, False, True],
                "image_shape": (64, 64, 3),
            },
        ),
    ],
)
def test_predicts_as_before(name, num_branches, config):
    model = getattr(keras_hub.models, name)(**config)
    noisy = add_stochastic_depth(model, final_rate=0.3)
    drops = [
        layer
        for layer in noisy._flatten_layers()
        if isinstance(layer, StochasticDepth)
    ]
    assert len(drops) == num_branches
    shape = (2, *model.input_shape[1:])
    x = np.random.default_rng(0).uniform(size=shape).astype("float32")
    outputs = [keras.ops.convert_to_numpy(each(x)) for each in (model, noisy)]
    np.testing.assert_allclose(*outputs, atol=1e-5)
    assert outputs[0].std() > 1e-3
    weights = [
        {
            variable.path: keras.ops.convert_to_numpy(variable)
            for variable in each.trainable_variables
        }
        for each in (model, noisy)
    ]
    assert weights[0].keys() == weights[1].keys()
    for path, value in weights[0].items():
        np.testing.assert_array_equal(weights[1][path], value)


@pytest.mark.parametrize(
    "name, message, config",
    [
        (
            "DenseNetBackbone",
            r"`call`: \[\];",
            {"stackwise_num_repeats": [2, 2], "image_shape": (32, 32, 3)},
        ),
        (
            "ViTBackbone",
            r"`call`: \[.*'vit_encoder'\];.*with: \[\]",
            {
                "image_shape": (32, 32, 3),
                "patch_size": 8,
                "num_layers": 2,
                "num_heads": 2,
                "hidden_dim": 8,
                "mlp_dim": 16,
            },
        ),
        (
            "SwinTransformerBackbone",
            r"`call`: \[.*'stage_1'.*\];.*with: \['drop_path",
            {
                "image_shape": (32, 32, 3),
                "embed_dim": 8,
                "depths": (2, 2),
                "num_heads": (1, 2),
                "window_size": 4,
            },
        ),
        (
            "EfficientNetBackbone",
            r"`call`: \['block1a_', .*\];.*with: \['block1b_drop', ",
            {
                "stackwise_width_coefficients": [1.0] * 2,
                "stackwise_depth_coefficients": [1.0] * 2,
                "stackwise_kernel_sizes": [3] * 2,
                "stackwise_num_repeats": [2] * 2,
                "stackwise_input_filters": [8] * 2,
                "stackwise_output_filters": [8, 16],
                "stackwise_expansion_ratios": [1, 4],
                "stackwise_squeeze_and_excite_ratios": [0, 0.25],
                "stackwise_strides": [1, 2],
                "stackwise_block_types": ["fused", "unfused"],
                "stackwise_force_input_filters": [0] * 2,
                "stackwise_nores_option": [False] * 2,
                "input_shape": (32, 32, 3),
            },
        ),
    ],
)
def test_says_which_layers_hide_branches_or_drop_them_already(
    name, message, config
):
    model = getattr(keras_hub.models, name)(**config)
    with pytest.raises(ValueError, match=message):
        add_stochastic_depth(model)
