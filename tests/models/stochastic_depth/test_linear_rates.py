import pytest

from keras_fewlabels.models import linear_rates


def test_grow_linearly_to_the_final_rate():
    # Huang et al.: survival 1 - l / L * (1 - p_L), here p_L = 0.8, L = 5.
    survival = [1 - rate for rate in linear_rates(5, final_rate=0.2)]
    assert survival == pytest.approx([0.96, 0.92, 0.88, 0.84, 0.8])
    assert linear_rates(0) == []
    assert linear_rates(3, 0) == [0, 0, 0]


@pytest.mark.parametrize("num_blocks", [-1, 2.0, None])
def test_rejects_what_is_no_count(num_blocks):
    with pytest.raises(ValueError, match="Received: num_blocks="):
        linear_rates(num_blocks)


@pytest.mark.parametrize("final_rate", [-0.1, 1, "0.2"])
def test_rejects_a_rate_outside_of_0_to_1(final_rate):
    with pytest.raises(ValueError, match="Received: final_rate="):
        linear_rates(3, final_rate)
