"""When unlabelled images are labelled, how many of them, and how long."""


class LabelingSchedule:
    """The rounds of labelling in a fit.

    Args:
        is_frozen: Boolean, whether the teacher stays as it is, so that a
            second look would find nothing new.
        every: Int, epochs from one round to the next.
        start: Optional int, the epoch, from 0, that the first round precedes.
            By default 0 for a frozen teacher, otherwise `every`.
        curriculum: Optional float in `(0, 1]`, by how much the share of the
            images that may be kept grows per round.
        max_rounds: Optional int.
    """

    def __init__(
        self,
        is_frozen,
        every=1,
        start=None,
        curriculum=None,
        max_rounds=None,
    ):
        if start is None:
            start = 0 if is_frozen else every
        self.is_frozen = is_frozen
        self.every = every
        self.start = start
        self.curriculum = curriculum
        self.max_rounds = max_rounds

    def is_due(self, epoch):
        """Whether a round precedes this epoch, unless labelling stopped."""
        return epoch >= self.start and (epoch - self.start) % self.every == 0

    def share(self, number):
        """The share of the images that round `number`, from 0, may keep."""
        if self.curriculum is None:
            return 1.0
        return min(1.0, self.curriculum * (number + 1))

    def reason_to_stop(self, record, changed, num_vetoed=0):
        """Why no round needs to follow the last one.

        Args:
            record: `LabelRecord` with that round.
            changed: Boolean, whether it differed from the one before.
            num_vetoed: Int, how many images must not have a label.

        Returns:
            `"all_labeled"`, `"no_change"`, `"max_rounds"`, or `None`.
        """
        num_rounds = len(record.rounds)
        is_whole = self.share(num_rounds - 1) == 1
        # A model in training that keeps nothing yet may do so later.
        settled = record.share() > 0 and not changed
        if is_whole and (settled or self.is_frozen or self.curriculum):
            num_labeled = (record.labels >= 0).sum()
            if num_labeled + num_vetoed == len(record.labels):
                return "all_labeled"
            if settled or self.is_frozen:
                return "no_change"
        return "max_rounds" if num_rounds == self.max_rounds else None
