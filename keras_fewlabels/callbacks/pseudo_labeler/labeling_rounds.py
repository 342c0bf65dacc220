"""The rounds of labelling in a fit: when, which images, and until when."""

import dataclasses
import functools
import warnings

import numpy as np

from keras_fewlabels.callbacks.pseudo_labeler.checks import check_top_per_class
from keras_fewlabels.callbacks.pseudo_labeler.label_pass import (
    policy_state,
    restore_policy,
)
from keras_fewlabels.callbacks.pseudo_labeler.label_record import LabelRecord
from keras_fewlabels.foundation import (
    essential_config,
    fingerprint,
    remove_unfinished,
)
from keras_fewlabels.policies.top_per_class import (
    TopPerClass,
    balance_classes,
    top_share,
)

# As many as the two backups of `ExactBackup(double_checkpoint=True)` need.
_ROUNDS_KEPT = 3


@dataclasses.dataclass(frozen=True)
class LabelingSchedule:
    """The epochs before which images are labelled.

    Args:
        is_frozen: Boolean. `True` if the model that labels does not train, so
            that it always gives the same labels.
        every: Int, epochs from one round to the next.
        start: Optional int, the epoch, from 0, that the first round precedes.
            By default 0 for a frozen model, otherwise `every`.
        curriculum: Optional float in `(0, 1]`, by which the share of the
            images that may be kept grows per round.
        max_rounds: Optional int.
    """

    is_frozen: bool
    every: int = 1
    start: int | None = None
    curriculum: float | None = None
    max_rounds: int | None = None

    def is_due(self, epoch):
        """Returns whether a round precedes this epoch."""
        start = self.start
        if start is None:
            start = 0 if self.is_frozen else self.every
        return epoch >= start and (epoch - start) % self.every == 0

    def share(self, number):
        """Returns the share of the images that a round, from 0, may keep."""
        if self.curriculum is None:
            return 1.0
        return min(1.0, self.curriculum * (number + 1))

    def reason_to_stop(self, record, changed, num_vetoed=0):
        """Returns the reason why no further round is needed.

        Args:
            record: `LabelRecord` with the last round.
            changed: Boolean, whether that round differs from the one before.
            num_vetoed: Int, the number of images that must not have a label.

        Returns:
            `"all_labeled"`, `"no_change"`, `"max_rounds"`, or `None` if
            labelling goes on.
        """
        num_rounds = len(record.rounds)
        is_whole = self.share(num_rounds - 1) == 1
        # A model in training that keeps nothing yet may do so later.
        settled = record.share() > 0 and not changed
        if is_whole and (settled or self.is_frozen or self.curriculum):
            if record.num_labeled() + num_vetoed == len(record.labels):
                return "all_labeled"
            if settled or self.is_frozen:
                return "no_change"
        return "max_rounds" if num_rounds == self.max_rounds else None


class LabelingRounds:
    """Labels images round after round, and chooses those to train on.

    Args:
        source: `ImageSource` of the unlabelled images.
        policy: `policies.Policy`.
        schedule: `LabelingSchedule`.
        balance: As for `balance_classes`.
        truth: Optional int array of the true classes, or rows of 0 and 1.
        num_labels: Optional int, how many labels each image has, of which
            several may be true.
        seed: Int that fixes which images `balance` takes.
        store: Optional `ArrayStore`, from which a fit that is killed and
            started again reads the rounds before.
        vetoed: Int sequence, the images that never get a label.

    Attributes:
        record: `LabelRecord`.
    """

    def __init__(
        self,
        source,
        policy,
        schedule,
        *,
        balance=None,
        truth=None,
        num_labels=None,
        seed=0,
        store=None,
        vetoed=(),
    ):
        self.source = source
        self.policy = policy
        self.schedule = schedule
        self.balance = balance
        self.seed = seed
        self.store = store
        self.vetoed = np.array(vetoed, "int64")
        self.record = LabelRecord(len(source), truth, num_labels)
        self._frozen_labels = None

    def resume(self, epoch):
        """Restores the rounds before the epoch with which a fit begins.

        A warning says so if rounds are missing that only a model of an
        earlier epoch could repeat.

        Args:
            epoch: Int, the first epoch of the fit.

        Returns:
            Boolean, whether all rounds are restored that precede the epoch.
        """
        if self.store is not None:
            remove_unfinished(self.store.folder)
        if epoch == 0:
            if self.store is not None:
                # Rounds of an older fit would be mistaken for those of this.
                self.store.remove(self.store.names("round_"))
            return True
        if self.store is not None:
            for name in reversed(self.store.names("round_")):
                state = self.store.read(name, self._settings)
                if state is not None and self._restore(name, state, epoch):
                    return True
        if not any(map(self.schedule.is_due, range(epoch))):
            return True
        if not self.schedule.is_frozen:
            warnings.warn(
                f"The fit goes on at epoch {epoch}, but the pseudo-labels of "
                "the epochs before are lost, so the model labels again. Pass "
                "`cache_dir` to keep them.",
                stacklevel=2,
            )
        return False

    def label(self, epoch, label_pass, verbose=False):
        """Labels the images before an epoch.

        Args:
            epoch: Int, the epoch that begins.
            label_pass: `LabelPass` over the same images.
            verbose: Boolean. If `True`, a long pass shows a progress bar.
        """
        labels = self._frozen_labels
        if labels is None:
            settings = "" if self.store is None else self._settings
            labels = label_pass.run(settings, verbose)
        if self.schedule.is_frozen:
            self._frozen_labels = labels
        kept = labels.kept.copy()
        share = self.schedule.share(len(self.record.rounds))
        if share < 1:
            kept &= top_share(labels.confidence, share)
        kept[self.vetoed] = False
        changed = self.record.add(
            epoch,
            np.where(kept, labels.classes, -1).astype("int32"),
            labels.classes,
            labels.confidence,
            label_pass.num_classes,
        )
        self.record.targets = labels.targets
        self.record.stopped = self.schedule.reason_to_stop(
            self.record, changed, len(self.vetoed)
        )
        self._choose()
        if isinstance(self.balance, TopPerClass):
            check_top_per_class(
                self.balance.num_per_class,
                self.record.rounds[-1]["class_counts"],
                self.schedule.is_frozen,
            )
        if self.store is not None:
            self._save(epoch)

    def _choose(self):
        record = self.record
        # Each round has a seed of its own, so a choice needs no history.
        random = np.random.default_rng((self.seed, len(record.rounds)))
        record.chosen = balance_classes(
            record.any_label(), record.confidence, self.balance, random
        )

    def _save(self, epoch):
        state = {
            **self.record.state(),
            **policy_state(self.policy),
            "epoch": np.array(epoch),
        }
        number = len(self.record.rounds)
        self.store.write(f"round_{number:05d}", self._settings, state)
        # A backup of the epoch before needs the round before that.
        self.store.remove(self.store.names("round_")[:-_ROUNDS_KEPT])

    def _restore(self, name, state, epoch):
        """Takes over a round, and returns whether it precedes the epoch."""
        try:
            if state["epoch"] >= epoch:
                return False
            self.record.restore(state)
            restore_policy(self.policy, state)
            self._choose()
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                "A file of `cache_dir` has another layout than a round of "
                "pseudo-labels. Remove it. Received: "
                f"{str(self.store.folder / name)!r}.npz ({error!r})"
            ) from None
        return True

    @functools.cached_property
    def _settings(self):
        """The fingerprint of all that stored labels depend on."""
        return fingerprint(
            len(self.source),
            self.source.shape,
            self.source.checksum(),
            essential_config(self.policy),
            dataclasses.astuple(self.schedule),
            self.seed,
            self.vetoed,
        )
