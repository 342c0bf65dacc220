import numpy as np
import pytest
from keras import ops

from keras_fewlabels.ops.augment_each import augment_each
from keras_fewlabels.ops.augment_merged import augment_merged


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_equals_the_merged_form(drawn_inputs, interpolation):
    each = augment_each(*drawn_inputs, interpolation=interpolation)
    merged = augment_merged(*drawn_inputs, interpolation=interpolation)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(each), ops.convert_to_numpy(merged)
    )


@pytest.mark.tensorflow
def test_graph_holds_each_op_once_and_no_large_table(drawn_inputs):
    # TensorFlow never frees the graphs that XLA has compiled in others.
    import tensorflow as tf

    images, names, *draws = drawn_inputs
    function = tf.function(
        lambda images, *draws: augment_each(images, names, *draws)
    )
    graph = function.get_concrete_function(images, *draws).graph.as_graph_def()
    nodes = [node for part in graph.library.function for node in part.node_def]
    cases = [node for node in nodes if node.op.endswith("Case")]
    assert len(cases) == 1
    # The two that move pixels sideways share a branch, as do the two that
    # move them up and down.
    assert len(cases[0].attr["branches"].list.func) == len(names) - 2
    # Texts of nodes take most of it.
    assert graph.ByteSize() < 600_000
