import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.models import FreeMatch
from keras_fewlabels.policies import FixedThreshold

TARGETS = np.eye(3, dtype="float32")[np.arange(20) % 3]
WEIGHTS = (np.arange(20) % 4 > 0).astype("float32")
SCORES = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")


def compiled(**arguments):
    student = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model = FreeMatch(student, **arguments)
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return model


def test_fairness_is_added_to_the_mean_loss():
    with_fairness, without = (
        compiled(fairness_weight=weight) for weight in (0.3, 0.0)
    )
    arguments = [
        ops.convert_to_tensor(part) for part in (TARGETS, SCORES, WEIGHTS)
    ]
    losses = [
        float(ops.mean(model.unlabeled_loss(*arguments)))
        for model in (with_fairness, without)
    ]
    fairness = with_fairness.policy.fairness(ops.softmax(SCORES), WEIGHTS)
    assert float(fairness) != 0
    assert losses[0] - losses[1] == pytest.approx(
        0.3 * float(fairness), rel=1e-4
    )


def test_policy_without_fairness_is_refused():
    with pytest.raises(ValueError, match="`fairness"):
        compiled(policy=FixedThreshold())
