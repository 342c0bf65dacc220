import pytest

from keras_fewlabels.models.student.fit_progress import FitProgress


def test_share_of_steps_done_ends_at_one():
    progress = FitProgress()
    progress.start(num_steps=3, step=1)
    shares = [float(progress.advance()) for _ in range(4)]
    assert shares == pytest.approx([1 / 3, 2 / 3, 1, 1])
    progress.start(num_steps=2)
    assert float(progress.advance()) == 0


def test_a_fit_without_an_end_in_sight_has_hardly_begun():
    progress = FitProgress()
    progress.start(num_steps=150 * 10**9)
    shares = [float(progress.advance()) for _ in range(2)]
    assert shares == pytest.approx([0, 0], abs=1e-6)
    assert min(shares) >= 0
