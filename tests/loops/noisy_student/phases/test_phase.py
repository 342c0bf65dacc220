import pytest

from keras_fewlabels.loops.noisy_student.phases import Noise, Phase


@pytest.mark.parametrize(
    ("generation", "title"), [(0, "supervised"), (2, "supervised 2")]
)
def test_title_has_the_generation(generation, title):
    phase = Phase("supervised", "supervised", 7, generation=generation)
    assert phase.title == title


def test_a_phase_has_no_noise_unless_it_says_so():
    assert Phase("a", "supervised", 7).noise == Noise(None, None, False)
