import random

import keras
import numpy as np

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.print_progress import print_progress
from keras_fewlabels.callbacks.pseudo_labeler.checks import (
    check_arguments,
    check_before_fit,
    check_soft_targets,
    check_top_per_class,
    checked_truth,
)
from keras_fewlabels.callbacks.pseudo_labeler.rounds import LabelingRounds
from keras_fewlabels.callbacks.pseudo_labeler.schedule import LabelingSchedule
from keras_fewlabels.callbacks.pseudo_labeler.workers import worker_of
from keras_fewlabels.callbacks.starting_point import StartingPoint
from keras_fewlabels.data.batches.pseudo_labeled_data import pseudo_labeled_data
from keras_fewlabels.data.review import read_veto
from keras_fewlabels.data.sources.image_source import image_source
from keras_fewlabels.foundation.atomic_write import writable_folder
from keras_fewlabels.policies import FixedThreshold, TopPerClass


class PseudoLabeler(keras.callbacks.Callback):
    """Labels unlabelled images while `fit()` runs, and trains on them.

    A teacher (once) or the model in training (every few epochs) predicts the
    unlabelled images; the policy keeps what is confident enough; the kept
    images join the labelled ones from the epoch that begins. Fit on
    `mixed_with(labeled)` and pass the callback. True labels never change.

    Only labels are kept in memory, a few bytes per image; datasets are read
    anew for each labelling and each epoch, always in the same order. Every
    worker of a `MultiWorkerMirroredStrategy` labels a part, and sees all.

    The logs gain `pseudo_label_share`, the share of unlabelled images with a
    label, and, where the truth is known, `pseudo_label_accuracy`. Callbacks
    that write logs, such as `TensorBoard`, see them if they come after this
    one.

    With `cache_dir`, a run that is killed and started again with
    `callbacks.ExactBackup` ends with the labels and weights of one that was
    not, and does not repeat the labelling it had done.

    References:
        - [Lee, 2013](http://deeplearning.net/wp-content/uploads/2013/03/pseudo_label_final.pdf),
          Pseudo-Label.
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252), Noisy Student:
          a teacher, `policies.FixedThreshold(0.3, soft=True)`,
          `balance=policies.TopPerClass(130_000)`.
        - [Cascante-Bonilla et al., 2020](https://arxiv.org/abs/2001.06001),
          Curriculum Labeling: `curriculum=0.2, reinitialize=True`, `every` as
          many epochs as a training takes.

    Args:
        unlabeled: Array of images, `(num_images, height, width, channels)`,
            also memory-mapped; `data.ImageFiles` on disk; or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of images that come
            in the same order in every pass.
        teacher: Optional Keras model that labels once, before the first
            epoch. By default the model in training labels.
        policy: Layer that maps probabilities to `(targets, weights)`; images
            of weight 1 are kept. By default `policies.FixedThreshold()`, or
            no threshold with a curriculum or a `policies.TopPerClass`. Soft
            targets need one-hot labels and a loss that takes them.
        balance: How often the kept images of a class are seen: `None`, each
            once; `"repeat"`, rare classes as often as the largest;
            `"truncate"`, all as often as the rarest; or a
            `policies.TopPerClass`. While few images of a class are kept,
            repeating them repeats their errors: use it with a teacher, or
            with a later `start`.
        every: Int, number of epochs from one labelling to the next.
        batch_size: Int, number of images that are predicted at a time.
        truth: Optional array of the true labels of the unlabelled images,
            only ever used to report how right the pseudo-labels are.
        start: Optional int, the epoch (from 0) before which the first
            labelling happens. By default 0 with a teacher, otherwise `every`,
            so that a new model learns from the labelled images first.
        seed: Optional int that fixes which images `balance` takes. By default
            it follows `keras.utils.set_random_seed`.
        curriculum: Optional float in `(0, 1]`: the first round keeps at most
            this share of the images, the most confident ones, the second
            twice as many, and so on.
        reinitialize: Boolean, whether weights and optimizer go back to what
            they were at the start of the fit after each labelling.
        max_rounds: Optional int, the number of labellings at most.
        cache_dir: Optional folder for the labels of a run that may be killed.
        veto: Optional path of a file that `evaluation.audit_pseudo_labels`
            wrote, or sequence of numbers of images, that never get a label.

    Attributes:
        labels: Int array of shape `(num_images,)`, the class of each image,
            -1 where none is kept.
        confidence: Float array of shape `(num_images,)`, the probability of
            the likeliest class; NaN before the first labelling.
        first_kept: Int array, the round, from 0, in which each image first
            had a label, -1 where it never had one.
        num_changes: Int array, how often its label was another one than
            before.
        chosen: Int array, the unlabelled images that are trained on, each as
            often as `balance` has it.
        targets: Float16 array of shape `(num_images, num_classes)`, what a
            policy with soft targets made of each image; otherwise `None`.
        rounds: List with a dict per labelling: `epoch`, `kept` (a count),
            `share`, `changes` (labels that are others than before),
            `class_counts` and, where the truth is known, `accuracy`.
        stopped: Why labelling stopped: `"all_labeled"`, `"no_change"` (no
            prediction differs from the round before, or the teacher is
            frozen) or `"max_rounds"`; `None` while it goes on.

    Raises:
        ValueError: If an argument is no such thing, or, before the first
            step, if model, teacher, policy and data do not fit each other.

    Example:

    >>> model = keras.Sequential([
    ...     keras.Input((8, 8, 1)),
    ...     keras.layers.Flatten(),
    ...     keras.layers.Dense(3, activation="softmax"),
    ... ])
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> images = np.random.default_rng(0).random((60, 8, 8, 1), "float32")
    >>> labeler = keras_fewlabels.callbacks.PseudoLabeler(
    ...     unlabeled=images[9:],
    ...     policy=keras_fewlabels.policies.FixedThreshold(0.3),
    ... )
    >>> dataset = labeler.mixed_with((images[:9], np.arange(9) % 3))
    >>> history = model.fit(dataset, epochs=2, callbacks=[labeler], verbose=0)
    >>> history.history["pseudo_label_share"]
    [0.0, 1.0]
    """

    def __init__(
        self,
        unlabeled,
        teacher=None,
        policy=None,
        balance=None,
        every=1,
        batch_size=256,
        truth=None,
        start=None,
        seed=None,
        curriculum=None,
        reinitialize=False,
        max_rounds=None,
        cache_dir=None,
        veto=None,
    ):
        super().__init__()
        counts = {
            "every": every,
            "batch_size": batch_size,
            "start": 0 if start is None else start,
            "max_rounds": 1 if max_rounds is None else max_rounds,
        }
        check_arguments(policy, balance, counts, curriculum, teacher, seed)
        if policy is None:
            # A share or a number per class is a threshold of its own.
            is_free = curriculum or isinstance(balance, TopPerClass)
            policy = FixedThreshold(0.0 if is_free else 0.95)
        self.unlabeled = unlabeled
        self.teacher = teacher
        self.policy = policy
        self.balance = balance
        self.every = every
        self.batch_size = batch_size
        self.start = start
        # Python's generator is one that `keras.utils.set_random_seed` sets.
        self.seed = random.getrandbits(32) if seed is None else seed
        self.curriculum = curriculum
        self.reinitialize = reinitialize
        self.max_rounds = max_rounds
        self.cache_dir = cache_dir
        self.source = image_source(unlabeled)
        self.truth = checked_truth(truth, len(self.source))
        self.veto = None if veto is None else read_veto(self.source, veto)
        self._cache = None
        if cache_dir is not None:
            self._cache = ArrayStore(writable_folder(cache_dir, "cache_dir"))
        self._batches = None
        self._forget()

    def mixed_with(
        self,
        labeled,
        batch_size=64,
        shuffle=True,
        seed=None,
        steps_per_epoch=None,
    ):
        """The dataset to fit on: true labels and, in time, pseudo-labels.

        All epochs have the same number of full batches, because Keras keeps
        the number it finds at the start of `fit()`. Every image with a
        pseudo-label comes once, or as often as `balance` has it; true labels
        fill the rest, as often as it takes.

        Args:
            labeled: Pair of arrays `(images, labels)`, where labels are class
                numbers or one-hot, whichever the loss expects; or a
                `tf.data.Dataset` or `PyDataset` of such pairs.
            batch_size: Int, images per batch.
            shuffle: Boolean, whether each epoch has an order of its own.
                Images out of a dataset are shuffled in a window of 1,024.
            seed: Optional int that makes the order reproducible. By default
                it follows `keras.utils.set_random_seed`.
            steps_per_epoch: Optional int, batches per epoch. By default as
                many as one pass over labelled and unlabelled images takes.

        Returns:
            A dataset of `(images, labels)`, to be fitted on as it is: a
            `tf.data.Dataset` on the TensorFlow backend and wherever a part
            is a dataset, otherwise a `keras.utils.PyDataset`.
        """
        self._batches = pseudo_labeled_data(
            labeled,
            self.source,
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            shuffle=shuffle,
            seed=seed,
        )
        check_soft_targets(
            getattr(self.policy, "soft", False), self._batches.labels
        )
        return self._batches.as_dataset()

    def to_dict(self):
        """What became of each image, a column per question.

        Returns:
            Dict of arrays of shape `(num_images,)`: `label`, `confidence`,
            `first_kept`, `num_changes` and, where they are known, `truth` and
            `file`. `pandas.DataFrame` takes it as it is.
        """
        columns = {
            "label": self.labels,
            "confidence": self.confidence,
            "first_kept": self.first_kept,
            "num_changes": self.num_changes,
        }
        if self.truth is not None:
            columns["truth"] = self.truth
        files = getattr(self.unlabeled, "file_paths", None)
        if files is not None:
            columns["file"] = np.array(files)
        return columns

    def set_model(self, model):
        super().set_model(model)
        # Before `BackupAndRestore` loads what an interrupted fit has learned.
        self._origin = StartingPoint(model) if self.reinitialize else None

    def on_train_begin(self, logs=None):
        self._forget()
        self._worker = worker_of(self.teacher or self.model)
        self._readings = check_before_fit(self, self._batches)
        self._begins = True

    def on_epoch_begin(self, epoch, logs=None):
        rounds = self._rounds
        due = rounds.schedule.is_due(epoch)
        if self._begins:
            due = not rounds.resume(epoch) or due
            self._begins = False
        if due and rounds.record.stopped is None:
            self._label(epoch)
        self._publish()
        is_soft = self.targets is not None
        targets = self.targets if is_soft else rounds.record.predicted
        self._batches.fill_epoch(epoch, self.chosen, targets)

    def on_epoch_end(self, epoch, logs=None):
        if logs is None:
            return
        logs["pseudo_label_share"] = self._rounds.record.share()
        if self.truth is not None:
            logs["pseudo_label_accuracy"] = self._rounds.record.accuracy()

    def on_train_end(self, logs=None):
        # `BackupAndRestore` leaves it behind, and the next fit would start
        # from there.
        self.model._initial_epoch = None

    def _label(self, epoch):
        verbose = self.params.get("verbose")
        self._rounds.label(
            epoch, self._worker, *self._readings, self.batch_size, verbose == 1
        )
        self._publish()
        check_soft_targets(self.targets is not None, self._batches.labels)
        check_top_per_class(self)
        if verbose:
            last = self.rounds[-1]
            print_progress(
                f"PseudoLabeler: {last['kept']:,} of {len(self.labels):,} "
                f"images have a label ({last['share']:.1%}), "
                f"{last['changes']:,} of another class than before"
            )
        if self._origin is not None:
            self._origin.restore()

    def _forget(self):
        schedule = LabelingSchedule(
            self.teacher is not None,
            self.every,
            self.start,
            self.curriculum,
            self.max_rounds,
        )
        self._rounds = LabelingRounds(
            self.source,
            self.policy,
            schedule,
            self.balance,
            self.truth,
            self.seed,
            self._cache,
            self.veto,
        )
        self._publish()

    def _publish(self):
        record = self._rounds.record
        self.labels = record.labels
        self.confidence = record.confidence
        self.first_kept = record.first_kept
        self.num_changes = record.num_changes
        self.rounds = record.rounds
        self.stopped = record.stopped
        self.chosen = self._rounds.chosen
        self.targets = self._rounds.targets
