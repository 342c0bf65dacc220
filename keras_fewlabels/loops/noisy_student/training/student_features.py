"""The features that the student of a run has for its images."""

import dataclasses

import numpy as np

from keras_fewlabels.data.sources import image_source, is_dataset
from keras_fewlabels.data.sources.some_rows import SomeRows
from keras_fewlabels.evaluation.features import with_features
from keras_fewlabels.evaluation.frozen_features.compute_features import (
    FeatureReader,
)
from keras_fewlabels.evaluation.frozen_features.head_kinds import kind_of
from keras_fewlabels.evaluation.frozen_features.self_training import (
    FeatureClassifier,
)
from keras_fewlabels.evaluation.pool.foreign_images import foreign_images
from keras_fewlabels.foundation import fingerprint
from keras_fewlabels.loops.noisy_student.training.plan_features import (
    MAX_UNLABELED,
    plan_features,
)
from keras_fewlabels.loops.noisy_student.training.student_head import (
    head_of,
    layers_fingerprint,
)


@dataclasses.dataclass(frozen=True)
class Features:
    """Features of the images of a run, the mean of those of all views.

    Args:
        labeled: Float array of shape `(num_labeled, num_features)`.
        unlabeled: Float array likewise, of unlabelled images.
        as_they_are: Float array likewise, of the same images without their
            mirror images, as a model predicts them.
        numbers: Int array `(num_unlabeled,)`, which of them these are.
    """

    labeled: np.ndarray
    unlabeled: np.ndarray
    as_they_are: np.ndarray
    numbers: np.ndarray


class StudentFeatures:
    """Computes the features of images by the layers before a student's head.

    They are computed when they are due. Those of the last two states of the
    layers are kept, for the layers may go back to what they were.

    In the first pass `plan_features` decides how many unlabelled images are
    read. If there is no time for all, some are drawn, for a pool may be sorted.
    Of a dataset the first ones are taken.

    With a backup the features of all layers stay on disk, as a run that goes
    on measures every rung again.

    Args:
        task: `Task`.
        clock: `RunClock`.
        progress: `RunProgress`.
        finished: `FinishedPhases`, which stores decisions and features.
        leave_out: Function of two strings, what is left out and why, for the
            report.

    Attributes:
        foreign: `ForeignImages` by the first features of unlabelled images,
            which saw no label. `None` before these are computed, without
            unlabelled images, and if the layers know labels from the start.
    """

    def __init__(self, task, clock, progress, finished, leave_out):
        self._task, self._clock, self._progress = task, clock, progress
        self._finished, self._leave_out = finished, leave_out
        self._plan = None
        # Dicts of what was computed, by a fingerprint of the layers, and that
        # of the layers as they are.
        self._kept, self._layers = {}, None
        # The student, and the model that gives its features.
        self._extractor = None, None
        self.foreign = None

    def of(self, context):
        """Returns the `Features` of the images that a phase learns.

        Args:
            context: `PhaseContext`.
        """
        kept = self._kept_of(context.student)
        if "learned" not in kept:
            kept["learned"] = self._compute(context)
            if (
                self.foreign is None
                and len(kept["learned"].unlabeled)
                and not self._task.layers_know_labels
            ):
                # Here, for a run that goes on gets here with the same layers.
                self._find_foreign(context)
        return kept["learned"]

    def of_split(self, context, split):
        """Returns the features of images to measure with, as they are.

        Args:
            context: `PhaseContext`.
            split: `"validation"` or `"test"`.
        """
        kept = self._kept_of(context.student)
        if split not in kept:
            images, _ = getattr(context.data, split)
            source = image_source(images, split)
            # A run that goes on may have other images to measure with.
            known = "" if self._finished.store is None else source.checksum()
            reader = self._reader(context, mirrored=False)
            kept[split] = reader.read(source, images=known)[:, 0]
        return kept[split]

    def classifier(self, context, balanced=None):
        """Returns the `FeatureClassifier` of what a phase learns.

        Foreign images are left out, for a head that learns them is worse.

        Args:
            context: `PhaseContext`.
            balanced: Boolean, whether all classes count alike. By default as
                the settings say.
        """
        if balanced is None:
            balanced = context.recipe.settings.balanced
        kept = self._kept_of(context.student)
        features = self.of(context)
        if balanced not in kept:
            is_learned = self.is_learned(len(features.unlabeled))
            kept[balanced] = self._classifier(
                context,
                balanced,
                features.labeled,
                features.unlabeled[is_learned],
            )
        return kept[balanced]

    def is_learned(self, count):
        """Returns which unlabelled images with features are not foreign.

        Args:
            count: Int, how many of them, from the first one on.

        Returns:
            Boolean array `(count,)`.
        """
        if self.foreign is None:
            return np.ones(count, bool)
        return ~self.foreign.is_foreign[:count]

    def predicted_pool(self, model):
        """Returns what a model predicts for unlabelled images, if known.

        Args:
            model: Keras model of the run, which may be calibrated.

        Returns:
            Pair of an int array `(count,)`, the numbers of the images with
            features, and a float array `(count, num_classes)`, probabilities,
            as near to those of `predict` as features in half precision are.
            `None` without features by these layers, and of a dataset.
        """
        if not self._kept or is_dataset(self._task.unlabeled.images):
            return None
        found = self._kept.get(layers_fingerprint(model), {}).get("learned")
        if not found or not len(found.numbers):
            return None
        head = head_of(model, kind_of(self._task.scores))
        return found.numbers, head.probabilities(found.as_they_are)

    def _find_foreign(self, context):
        kept = self._kept[self._layers]
        features = kept["learned"]
        balanced = context.recipe.settings.balanced
        classifier = self._classifier(
            context, balanced, features.labeled, features.unlabeled
        )
        self.foreign = foreign_images(
            classifier.graph,
            classifier.kind.groups(classifier.targets),
            len(features.labeled) + len(features.unlabeled),
        )
        if not self.foreign.is_foreign.any():
            kept[balanced] = classifier

    def _classifier(self, context, balanced, *features):
        scores, num_classes = self._task.scores, self._task.num_classes
        targets = scores.label_rows(context.data.labeled[1], num_classes)
        return FeatureClassifier(
            np.concatenate(features), targets, balanced, kind_of(scores)
        )

    def _kept_of(self, student):
        """Returns the dict of what was computed with layers as they are."""
        self._layers = layers_fingerprint(student)
        kept = self._kept.pop(self._layers, {})
        last = list(self._kept.items())[-1:]
        self._kept = {**dict(last), self._layers: kept}
        return kept

    def _reader(self, context, mirrored):
        student, extractor = self._extractor
        if student is not context.student:
            student = context.student
            # Kept, for the first prediction of a model is traced.
            extractor = with_features(student)
            self._extractor = student, extractor
        return FeatureReader(
            extractor,
            mirrored,
            self._finished.store,
            fingerprint(self._finished.identity, self._layers),
        )

    def _compute(self, context):
        labeled = image_source(context.data.labeled[0], "labeled")
        reader = self._reader(context, context.phase.mirrored)
        count = 0
        if context.phase.with_unlabeled:
            if self._plan is None:
                self._decide(reader, labeled)
            reader.mirrored = reader.mirrored and self._plan["mirrored"]
            count = self._plan["num_unlabeled"]
        views = reader.read(labeled, images="labeled")
        features = _mean(views)
        rest, as_they_are, numbers = features[:0], features[:0], np.arange(0)
        if count:
            title = f"{context.phase.title}: features"
            show = self._progress.images(title, count)
            part, numbers = self._part_of_pool(count, context.data.seed)
            views = reader.read(part, count, show, f"unlabeled {count}")
            rest, as_they_are = _mean(views), views[:, 0]
        if self._progress.pace is None:
            # Steps of training tell it better, once there are any.
            self._progress.pace = reader.seconds_per_image
        return Features(features, rest, as_they_are, numbers)

    def _part_of_pool(self, count, seed):
        """Returns a source of some unlabelled images, and their numbers."""
        pool = self._task.unlabeled
        numbers = pool.draw(count, seed)
        if count == len(pool) or is_dataset(pool.images):
            return pool, numbers
        return image_source(SomeRows(pool.images, numbers)), numbers

    def _decide(self, reader, labeled):
        """Decides what the first pass and all later ones read."""
        self._plan = self._finished.remember(
            "features",
            lambda: plan_features(
                reader, labeled, self._task, self._clock, self._progress
            ),
        )
        count, total = self._plan["num_unlabeled"], len(self._task.unlabeled)
        self._progress.predict_at_most(len(labeled) + count)
        if count < min(total, MAX_UNLABELED):
            self._leave_out(
                f"{total - count:,} of {total:,} unlabelled images",
                "there was no time for them",
            )


def _mean(views):
    """Returns the mean features of the views of each image."""
    if views.shape[1] == 1:
        return views[:, 0]
    return views.mean(axis=1, dtype="float32").astype(views.dtype)
