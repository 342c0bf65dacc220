import pytest

from keras_fewlabels.loops.tuning.rand_augment_search import (
    check_directory,
    search,
)


def test_a_search_that_was_stopped_goes_on(tmp_path):
    tried = []

    def accuracy_of(num_ops, magnitude):
        tried.append((num_ops, magnitude))
        if len(tried) == 3:
            raise KeyboardInterrupt
        return num_ops / 10

    settings = [(0, 0), (1, 4), (2, 4), (3, 4)]
    with pytest.raises(KeyboardInterrupt):
        search(settings, accuracy_of, tmp_path, verbose=0)
    accuracies = search(settings, accuracy_of, tmp_path, verbose=0)
    # The third, which was cut off, once more.
    assert tried == [(0, 0), (1, 4), (2, 4), (2, 4), (3, 4)]
    assert accuracies == {(0, 0): 0.0, (1, 4): 0.1, (2, 4): 0.2, (3, 4): 0.3}
    assert search(settings, accuracy_of, tmp_path, verbose=0) == accuracies
    assert len(tried) == 5


def test_errors_of_a_trial_pass_through(tmp_path):
    def accuracy_of(num_ops, magnitude):
        raise ZeroDivisionError("in a trial")

    with pytest.raises(ZeroDivisionError, match="in a trial"):
        search([(0, 0)], accuracy_of, tmp_path, verbose=0)


def test_a_directory_is_for_one_search(tmp_path):
    check_directory(tmp_path / "new", {"epochs": 3, "settings": [(0, 0)]})
    check_directory(tmp_path / "new", {"epochs": 3, "settings": [(0, 0)]})
    with pytest.raises(ValueError, match=r"new', which differs in epochs$"):
        check_directory(tmp_path / "new", {"epochs": 4, "settings": [(0, 0)]})
