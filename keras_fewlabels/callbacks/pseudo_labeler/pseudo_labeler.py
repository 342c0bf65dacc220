import copy
import random

import keras
import numpy as np

from keras_fewlabels.callbacks.backup.array_store import ArrayStore
from keras_fewlabels.callbacks.print_progress import print_progress
from keras_fewlabels.callbacks.pseudo_labeler.checks import (
    ARGUMENTS,
    check_feed,
    check_models,
    check_several_labels,
    check_soft_targets,
    checked_truth,
    true_decisions,
)
from keras_fewlabels.callbacks.pseudo_labeler.fresh_statistics import (
    FreshStatistics,
    ShortFitMomentum,
)
from keras_fewlabels.callbacks.pseudo_labeler.label_pass import (
    LabelPass,
    policy_state,
    restore_policy,
)
from keras_fewlabels.callbacks.pseudo_labeler.labeling_rounds import (
    LabelingRounds,
    LabelingSchedule,
)
from keras_fewlabels.callbacks.pseudo_labeler.loss_of_known import LossOfKnown
from keras_fewlabels.callbacks.pseudo_labeler.warn_of_collapse import (
    warn_of_collapse,
)
from keras_fewlabels.callbacks.pseudo_labeler.workers import labeling_worker
from keras_fewlabels.callbacks.starting_point import StartingPoint
from keras_fewlabels.data.batches import pseudo_labeled_data
from keras_fewlabels.data.review import read_veto
from keras_fewlabels.data.sources import image_source
from keras_fewlabels.foundation import (
    check_arguments,
    folder_path,
    set_initial_epoch,
    writable_folder,
)
from keras_fewlabels.policies import FixedThreshold, TopPerClass
from keras_fewlabels.policies.parts import OneSigmoid, scores_of_loss
from keras_fewlabels.policies.policy import check_policy


def _record_property(name):
    return property(lambda labeler: getattr(labeler._rounds.record, name))


class PseudoLabeler(keras.callbacks.Callback):
    """Labels unlabelled images while `fit()` runs, and trains on them.

    A teacher (once) or the model in training (every few epochs) predicts the
    unlabelled images. This is a round. The policy keeps confident predictions,
    whose images join the labelled ones in the epoch that begins. True labels
    never change.

    Fit on the dataset of `mixed_with` and pass the callback as well:

    ```python
    labeler = PseudoLabeler(unlabeled)
    dataset = labeler.mixed_with((x, y), batch_size=64)
    model.fit(dataset, epochs=10, callbacks=[labeler], shuffle=False)
    ```

    Use the dataset as it is: each epoch reads the newest pseudo-labels from
    it. `.repeat()`, `.cache()` or `steps_per_epoch` would bring labels that
    are out of date, and are refused. A deep copy of the callback, as tuners
    make one for each trial, serves the same dataset.

    Only labels are kept in memory, a few bytes per image. Datasets are read
    again for each round and each epoch, in the same order each time.
    Several workers (`MultiWorkerMirroredStrategy`, JAX processes) predict a
    part of the images each.

    The logs contain `pseudo_label_share`, the share of unlabelled images with
    a label, and, if `truth` is given, `pseudo_label_accuracy`. Callbacks that
    write logs, such as `TensorBoard`, see them if they come after this one.

    With a sigmoid for each of several labels, the policy judges each label of
    an image by itself. Labels that it keeps are 1 or 0. The others have no part
    in the loss, and metrics compare them with the likelier answer. An image
    with one kept label or more is trained on. The true labels are rows of
    floats, `balance` is `None`, and the policy one such as
    `policies.FixedThreshold`. The attributes below then have a column for each
    label, and shares and counts are those of labels.

    Batch normalization with Keras's default momentum would lag behind in a
    short fit. Below 5,000 steps its momentum is lower while `fit()` runs, 0.9
    at least. If the statistics of a teacher lag behind, it labels with those
    of the labelled images, and a warning says so (not on several workers).
    Another warning names a class that takes over the pseudo-labels.

    With `cache_dir` and `callbacks.ExactBackup`, a run that is killed and
    started again ends with the same labels and weights, and finished parts of
    a round are not repeated.

    References:
        - [Lee, 2013](http://deeplearning.net/wp-content/uploads/2013/03/pseudo_label_final.pdf).
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252): a teacher,
          `policies.FixedThreshold(0.3, soft=True)`,
          `balance=policies.TopPerClass(130_000)`.
        - [Cascante-Bonilla et al., 2020](https://arxiv.org/abs/2001.06001):
          `curriculum=0.2, reinitialize=True`, and `every` as many epochs as
          one training takes.

    Args:
        unlabeled: Array of images, `(num_images, height, width, channels)`,
            also memory-mapped; `data.ImageFiles`; or a `tf.data.Dataset` or
            `keras.utils.PyDataset` of images in the same order in every pass.
        teacher: Optional Keras model that labels once, before the first
            epoch. By default the model in training labels.
        policy: `policies.Policy` with weights of 0 and 1; images of weight 1
            are kept. By default `policies.FixedThreshold()`, or no threshold
            with a curriculum or a `policies.TopPerClass`. Soft targets need
            one-hot labels.
        balance: How often the kept images of a class are trained on: `None`,
            each once; `"repeat"`, rare classes as often as the largest;
            `"truncate"`, all as often as the rarest; or a
            `policies.TopPerClass`. Repeating few images repeats their errors:
            take a teacher, or a later `start`.
        every: Int, epochs from one round to the next.
        batch_size: Int, images that are predicted at a time.
        truth: Optional array of the true labels of the unlabelled images,
            class numbers or one-hot, to report the accuracy; or rows of
            several labels.
        start: Optional int, the epoch (from 0) before which the first
            round happens. By default 0 with a teacher, otherwise `every`,
            so that a new model learns from the labelled images first.
        seed: Optional int that fixes which images `balance` takes. By default
            it follows `keras.utils.set_random_seed`.
        curriculum: Optional float in `(0, 1]`: the first round keeps at most
            this share of the images, the second twice as many, and so on. Of
            several labels, it is the share for each.
        reinitialize: Boolean. If `True`, weights and optimizer go back to
            their values at the start of the fit after each round. With
            `FineTune`, the learning rate stays that of the stage.
        max_rounds: Optional int, the number of rounds at most.
        cache_dir: Optional folder that keeps the labels of a run that may be
            killed. It is created if it does not exist.
        veto: Optional file of `evaluation.audit_pseudo_labels`, or sequence
            of numbers of images, which never get a label.

    Attributes:
        labels: Int array, the class of each image, -1 where none is kept.
        confidence: Float array, the probability of the most probable class of
            each image; NaN before the first round.
        first_kept: Int array, the round, from 0, in which each image first
            had a label, -1 where it never had one.
        num_changes: Int array, how often the label of each image changed.
        chosen: Int array, the unlabelled images that are trained on, each as
            often as `balance` has it.
        targets: Float16 array of shape `(num_images, num_classes)`, the soft
            targets of the policy; `None` if it gives single classes.
        rounds: List with a dict per round: `epoch`, `kept` (a count),
            `share`, `changes` (labels that differ from those before),
            `class_counts` (of several labels, how many images have each) and,
            if `truth` is given, `accuracy`.
        stopped: The reason why labelling stopped: `"all_labeled"`,
            `"no_change"` (no prediction differs from the round before, or a
            teacher has labelled) or `"max_rounds"`; `None` while it goes on.

    Raises:
        ValueError: If an argument has another type or value than above, or
            model, teacher, labels and images do not go together. At the start
            of `fit()`, if it does not read the dataset of `mixed_with` as it
            is. During the fit, if the policy gives weights other than 0 and
            1, a prediction is not finite, or the train step of a model of
            several labels does not call `compute_loss`.
        OSError: At the start of `fit()`, if `cache_dir` takes no new files.

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
        *,
        start=None,
        seed=None,
        curriculum=None,
        reinitialize=False,
        max_rounds=None,
        cache_dir=None,
        veto=None,
    ):
        super().__init__()
        self.unlabeled = unlabeled
        self.teacher = teacher
        self.balance = balance
        self.every = every
        self.batch_size = batch_size
        self.start = start
        self.seed = seed
        self.curriculum = curriculum
        self.reinitialize = reinitialize
        self.max_rounds = max_rounds
        check_arguments(ARGUMENTS, self)
        if policy is None:
            # A curriculum or a number per class selects in its own way.
            is_free = curriculum or isinstance(balance, TopPerClass)
            policy = FixedThreshold(0.0 if is_free else 0.95)
        check_policy(policy)
        self.policy = policy
        self._policy_state = None
        if seed is None:
            # `keras.utils.set_random_seed` sets Python's generator.
            self.seed = random.getrandbits(32)
        self._source = image_source(unlabeled)
        self.truth = checked_truth(truth, len(self._source))
        self.veto = () if veto is None else read_veto(self._source, veto)
        self.cache_dir = self._store = None
        if cache_dir is not None:
            self.cache_dir = folder_path(cache_dir, "cache_dir")
            self._store = ArrayStore(self.cache_dir)
        self._batches = None
        self._schedule = LabelingSchedule(
            teacher is not None, every, start, curriculum, max_rounds
        )
        self._rounds = self._new_rounds()

    labels = _record_property("labels")
    confidence = _record_property("confidence")
    first_kept = _record_property("first_kept")
    num_changes = _record_property("num_changes")
    chosen = _record_property("chosen")
    targets = _record_property("targets")
    rounds = _record_property("rounds")
    stopped = _record_property("stopped")

    def __deepcopy__(self, memo):
        copied = copy.copy(self)
        copied.policy = copy.deepcopy(self.policy, memo)
        copied._rounds = copied._new_rounds()
        # Its fit reads the same dataset, which the copy must fill.
        copied._batches = self._batches
        return copied

    def __getstate__(self):
        # Not so in another process: there, the fit is refused.
        return {**vars(self), "_batches": None}

    def mixed_with(
        self,
        labeled,
        batch_size=64,
        *,
        shuffle=True,
        seed=None,
        steps_per_epoch=None,
    ):
        """Returns the dataset to fit on: true labels and pseudo-labels.

        All epochs have the same number of full batches. Every image with a
        pseudo-label comes once, or as often as `balance` has it. Labelled
        images fill the rest of the epoch, each as often as needed.

        Args:
            labeled: Pair of arrays `(images, labels)`, class numbers,
                one-hot or several labels, as the loss expects them; or a
                `tf.data.Dataset` or `PyDataset` of such pairs.
            batch_size: Int, images per batch.
            shuffle: Boolean. If `True`, each epoch has an order of its own.
                Images of a dataset are shuffled in a window of 1,024.
            seed: Optional int that makes the order reproducible. By default
                it follows `keras.utils.set_random_seed`.
            steps_per_epoch: Optional int, batches per epoch. By default as
                many as one pass over labelled and unlabelled images takes.

        Returns:
            A `tf.data.Dataset` of `(images, labels)` on the TensorFlow
            backend and wherever a part is a dataset, otherwise a
            `keras.utils.PyDataset`. Fit on it as it is.

        Raises:
            ValueError: If labelled and unlabelled images do not go together,
                or the policy gives soft targets and `labeled` has class
                numbers or whole numbers.
        """
        self._batches = pseudo_labeled_data(
            labeled,
            self._source,
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            shuffle=shuffle,
            seed=seed,
        )
        check_soft_targets(self.policy.soft, self._batches.labels)
        return self._batches.as_dataset()

    def to_dict(self):
        """Returns the pseudo-label of each image and its history.

        Returns:
            Dict of arrays of shape `(num_images,)`: `label`, `confidence`,
            `first_kept`, `num_changes` and, where they are known, `truth` and
            `file`. Of several labels there is a column for each, `label_0`
            and so on. `pandas.DataFrame` takes it as it is.
        """
        columns = self._rounds.record.columns()
        if self._source.paths is not None:
            columns["file"] = np.array(self._source.paths, object)
        return columns

    def unlabeled_checksum(self):
        """Returns a string that differs where the unlabelled images do.

        `ExactBackup` calls it, because the first batches have labelled images
        alone.
        """
        return self._source.checksum()

    def set_params(self, params):
        super().set_params(params)
        # All callbacks have the model now, to which `FineTune` adds variables,
        # and none that resumes the fit has loaded other weights.
        self._origin = StartingPoint(self.model) if self.reinitialize else None

    def on_train_begin(self, logs=None):
        batches = self._batches
        check_feed(batches, self.params.get("steps"))
        scores, num_classes = check_models(
            self.model, self.teacher, self._source, batches.labels
        )
        check_several_labels(scores, self.policy, self.balance, batches.labels)
        self._one_sigmoid = isinstance(scores, OneSigmoid)
        self._one_true = scores.one_true
        check_soft_targets(self.policy.soft, batches.labels, self._one_sigmoid)
        truth = true_decisions(self.truth, scores, num_classes)
        if self.cache_dir is not None:
            writable_folder(self.cache_dir, "cache_dir")
        if not self.policy.built:
            self.policy.build(scores.shape_judged(num_classes))
        if self._policy_state is None:
            self._policy_state = policy_state(self.policy)
        num_labels = None if self._one_true else num_classes
        self._rounds = self._new_rounds(truth, num_labels)
        # `ExactBackup` compares the first batch with that of the killed fit.
        batches.fill_epoch(0, self.chosen, None)
        worker = labeling_worker(self.teacher or self.model)
        self._label_pass = LabelPass(
            self._source,
            worker,
            self.policy,
            scores=scores,
            num_classes=num_classes,
            batch_size=self.batch_size,
            store=self._store,
        )
        self._statistics = FreshStatistics(worker, batches, scores)
        num_steps = batches.num_steps * self.params["epochs"]
        self._momentum = ShortFitMomentum(self.model, num_steps)
        self._loss = None
        if not self._one_true:
            # Not those of the teacher, whose loss may be another one.
            own = scores_of_loss(self.model.loss, num_classes)
            self._loss = LossOfKnown(self.model, own.from_logits)
        if not self.model.optimizer.built:
            # TensorFlow traces a step twice if the first one makes variables.
            self.model.optimizer.build(self.model.trainable_variables)
        self._has_warned = False
        self._is_first_epoch = True

    def on_epoch_begin(self, epoch, logs=None):
        rounds = self._rounds
        due = rounds.schedule.is_due(epoch)
        if self._is_first_epoch:
            if epoch == 0:
                # Another fit may have moved its averages.
                restore_policy(self.policy, self._policy_state)
            due = not rounds.resume(epoch) or due
            self._is_first_epoch = False
        if due and self.stopped is None:
            self._label(epoch)
        targets = self.targets
        if targets is None:
            targets = rounds.record.predicted
        known = None if self._one_true else self.labels >= 0
        self._batches.fill_epoch(epoch, self.chosen, targets, known)

    def on_epoch_end(self, epoch, logs=None):
        if self._loss is not None:
            self._loss.check_used()
        record = self._rounds.record
        if logs is not None:
            logs["pseudo_label_share"] = record.share()
            if self.truth is not None:
                logs["pseudo_label_accuracy"] = record.accuracy()

    def on_train_end(self, logs=None):
        self._momentum.restore()
        if self._loss is not None:
            self._loss.restore()
        # A callback that resumes a fit leaves its first epoch in the model,
        # and the next fit would begin with it.
        set_initial_epoch(self.model, None)

    def _label(self, epoch):
        verbose = self.params.get("verbose")
        with self._statistics.in_use():
            self._rounds.label(epoch, self._label_pass, verbose == 1)
        check_soft_targets(
            self.targets is not None, self._batches.labels, self._one_sigmoid
        )
        if verbose:
            print_progress(f"PseudoLabeler: {self._rounds.record.summary()}")
        if not self._has_warned:
            self._has_warned = warn_of_collapse(
                self.rounds[-1], self._batches.labels, self._one_true
            )
        if self._origin is not None:
            self._origin.restore()

    def _new_rounds(self, truth=None, num_labels=None):
        return LabelingRounds(
            self._source,
            self.policy,
            self._schedule,
            balance=self.balance,
            truth=truth,
            num_labels=num_labels,
            seed=self.seed,
            store=self._store,
            vetoed=self.veto,
        )
