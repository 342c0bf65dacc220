"""Round after round of pseudo-labels."""

import warnings

import keras
import numpy as np
from keras import ops

from keras_fewlabels.callbacks.pseudo_labeler.label_pass import LabelPass
from keras_fewlabels.callbacks.pseudo_labeler.label_record import LabelRecord
from keras_fewlabels.foundation.atomic_write import remove_unfinished
from keras_fewlabels.foundation.fingerprint import fingerprint
from keras_fewlabels.policies.top_per_class import balance_classes, top_share


class LabelingRounds:
    """The pseudo-labels of one fit, and what became of each image.

    Args:
        source: `ImageSource` of the unlabelled images.
        policy: Layer that maps probabilities to `(targets, weights)`.
        schedule: `LabelingSchedule`.
        balance: As for `balance_classes`.
        truth: Optional int array of the true classes.
        seed: Int that fixes which images `balance` takes.
        cache: Optional `ArrayStore`.
        vetoed: Optional int array, images that never get a label.

    Attributes:
        record: `LabelRecord`.
        chosen: Int array, the images to train on, each as often as `balance`
            has it.
        targets: Float16 array of soft targets, or `None`.
    """

    def __init__(
        self,
        source,
        policy,
        schedule,
        balance,
        truth,
        seed,
        cache=None,
        vetoed=None,
    ):
        self.source = source
        self.policy = policy
        self.schedule = schedule
        self.balance = balance
        self.seed = seed
        self.cache = cache
        self.vetoed = vetoed
        self.record = LabelRecord(len(source), truth)
        self.chosen = np.empty(0, "int64")
        self.targets = None
        self._taught = None

    def resume(self, epoch):
        """Takes up the rounds before the epoch with which a fit begins.

        Args:
            epoch: Int, the first epoch of the fit.

        Returns:
            Boolean, whether all rounds are there that should have been. If
            not, and the labels would have been another model's, a warning
            says so.
        """
        if self.cache is not None:
            remove_unfinished(self.cache.folder)
        if epoch == 0:
            if self.cache is not None:
                # Those of an older fit, which this one would mistake for its.
                self.cache.remove(self.cache.names("round_"))
            return True
        if self.cache is not None:
            for name in reversed(self.cache.names("round_")):
                state = self.cache.read(name, self._settings())
                if state is not None and state["epoch"] < epoch:
                    self._restore(state)
                    return True
        if epoch <= self.schedule.start:
            return True
        if not self.schedule.is_frozen:
            warnings.warn(
                f"The fit goes on at epoch {epoch}, but the pseudo-labels of "
                "the epochs before are lost: the model labels anew. Pass "
                "`cache_dir` to keep them.",
                stacklevel=2,
            )
        return False

    def label(self, epoch, worker, from_logits, num_classes, batch_size, bar):
        """Labels the images before an epoch.

        Args:
            epoch: Int, the epoch that begins.
            worker: The `OnlyWorker`, or one of several, that predicts.
            from_logits: Boolean, whether its model gives logits.
            num_classes: Int.
            batch_size: Int, images that are predicted at a time.
            bar: Boolean, whether to show a progress bar if it takes long.
        """
        labels = self._taught or self._labels(
            worker, from_logits, num_classes, batch_size, bar
        )
        if self.schedule.is_frozen:
            self._taught = labels
        share = self.schedule.share(len(self.record.rounds))
        kept = labels.kept.copy()
        if share < 1:
            kept &= top_share(labels.confidence, share)
        if self.vetoed is not None:
            kept[self.vetoed] = False
        changed = self.record.add(
            epoch,
            np.where(kept, labels.classes, -1).astype("int32"),
            labels.classes,
            labels.confidence,
            num_classes,
        )
        num_vetoed = 0 if self.vetoed is None else len(self.vetoed)
        self.record.stopped = self.schedule.reason_to_stop(
            self.record, changed, num_vetoed
        )
        self.targets = labels.targets
        self._choose()
        if self.cache is not None:
            self._save(epoch)

    def _labels(self, worker, from_logits, num_classes, batch_size, bar):
        key = None
        if self.cache is not None:
            key = fingerprint(
                self._settings(),
                [ops.convert_to_numpy(v) for v in worker.model.weights],
                self._policy_state(),
                from_logits,
                batch_size,
            )
            # Those of rounds that are over.
            older = self.cache.names("labels_")
            self.cache.remove(n for n in older if key not in n)
        return LabelPass(
            self.source,
            worker,
            from_logits,
            self.policy,
            num_classes,
            batch_size,
            self.cache,
            key,
        ).run(bar)

    def _choose(self):
        # Its own seed for each round: a choice needs no history.
        random = np.random.default_rng((self.seed, len(self.record.rounds)))
        self.chosen = balance_classes(
            self.record.labels, self.record.confidence, self.balance, random
        )

    def _save(self, epoch):
        state = {**self.record.state(), "epoch": np.array(epoch)}
        if self.targets is not None:
            state["targets"] = self.targets
        for index, value in enumerate(self._policy_state()):
            state[f"policy_{index}"] = value
        number = len(self.record.rounds)
        self.cache.write(f"round_{number:05d}", self._settings(), state)

    def _restore(self, state):
        self.record.restore(state)
        self.targets = state.get("targets")
        for index, variable in enumerate(self.policy.variables):
            variable.assign(state[f"policy_{index}"])
        self._choose()

    def _policy_state(self):
        return [ops.convert_to_numpy(v) for v in self.policy.variables]

    def _settings(self):
        """What must be the same for labels of another run to be of use."""
        return fingerprint(
            len(self.source),
            self.source.shape,
            self.source.checksum(),
            _without_names(keras.saving.serialize_keras_object(self.policy)),
            sorted(vars(self.schedule).items()),
            self.seed,
            *([] if self.vetoed is None else [self.vetoed]),
        )


def _without_names(config):
    """A config without layer names, which count up within a process."""
    if not isinstance(config, dict):
        return config
    return {k: _without_names(v) for k, v in config.items() if k != "name"}
