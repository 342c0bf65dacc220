import numpy as np

from keras_fewlabels.loops.noisy_student.phases import PHASE_KINDS
from keras_fewlabels.loops.noisy_student.phases.self_training import is_worse


class Classifier:
    """Two heads whose answers in a cross-validation are known."""

    def __init__(self, probe, self_trained):
        self.right = {False: probe, True: self_trained}

    def cross_validate(self, self_trained, seed):
        return self.right[self_trained]

    def probe(self):
        return "probe"

    def self_train(self):
        return "self-trained"


def answers(num_right):
    return np.arange(100) < num_right


def test_the_better_head_is_kept():
    kind = PHASE_KINDS["self-training"]
    chosen = kind.head(Classifier(answers(80), answers(60)), 0)
    assert chosen == ("probe", False)
    chosen = kind.head(Classifier(answers(80), answers(85)), 0)
    assert chosen == ("self-trained", True)


def test_a_difference_by_chance_decides_nothing():
    assert is_worse(answers(80), answers(70))
    assert is_worse(answers(80), answers(78))
    assert not is_worse(answers(80), answers(78), margin=2.0)
    assert not is_worse(answers(80), answers(79))
    swapped = np.roll(answers(80), 30)
    assert not is_worse(answers(80), swapped)
    assert not is_worse(answers(80), answers(80))


def test_without_cross_validation_unlabelled_images_are_learned():
    kind = PHASE_KINDS["self-training"]
    assert kind.head(Classifier(None, None), 0) == ("self-trained", True)
