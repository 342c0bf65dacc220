import keras
import numpy as np

from keras_fewlabels.data.checks import check_labels, class_numbers
from keras_fewlabels.data.copies import find_copies
from keras_fewlabels.data.sources import image_source, labeled_arrays
from keras_fewlabels.evaluation.checks import check_run
from keras_fewlabels.evaluation.features import features_and_probabilities
from keras_fewlabels.evaluation.frozen_features.neighbor_graph import (
    NeighborGraph,
)
from keras_fewlabels.evaluation.frozen_features.self_training import (
    FeatureClassifier,
)
from keras_fewlabels.evaluation.pool.class_shares import shares_by
from keras_fewlabels.evaluation.pool.foreign_images import foreign_images
from keras_fewlabels.evaluation.pool.pool_examination import (
    PoolExamination,
    leaks,
    most_foreign,
)
from keras_fewlabels.evaluation.prediction_progress import progress_over
from keras_fewlabels.foundation import (
    check_class_names,
    check_int,
    check_verbose,
)
from keras_fewlabels.policies.parts import num_several_labels


def examine_pool(
    model,
    labeled,
    unlabeled,
    *,
    validation_data=None,
    test_data=None,
    num_shown=100,
    class_names=None,
    feature_model=None,
    paths=None,
    batch_size=256,
    seed=0,
    verbose="auto",
):
    """Finds foreign images, copies and the shares of classes in a pool.

    Unlabelled images help if they show what the labelled ones show. Before
    anything long is trained, this function looks at them in the features of a
    model, best of one that was trained on many other images:

    - How foreign each image is: how little of the labels arrives at it if
      they spread among nearest neighbours, and the probability that it is
      like the labelled images. It does not matter how confident the model is.
    - The shares of the classes among the others, with intervals, by the
      confusions in a cross-validation; and classes that seem to be missing.
    - Copies within and between all parts, also if they were encoded again,
      resized or cropped by a few percent. Of images with a side below 32
      pixels only equal ones are found.

    The model itself is not asked for classes: a head is fitted to its
    features. Time grows with the square of the number of images. Of several
    labels per image (a model with a sigmoid for each) no shares are estimated.

    Args:
        model: Keras model whose features are used. Of a `NoisyStudentModel`
            the student is used.
        labeled: The labelled images: a pair of arrays `(images, labels)`, or
            a dataset of such pairs.
        unlabeled: Array of images `(num_images, height, width, channels)`,
            also memory-mapped, or an object that is indexed like one; or a
            `tf.data.Dataset` or `PyDataset` of images in a fixed order.
        validation_data: Optional images with labels, as `labeled`, in which
            copies are looked for.
        test_data: Optional images with labels likewise.
        num_shown: Int, the number of the most foreign images in the figure.
        class_names: Optional sequence of strings, one per class.
        feature_model: Optional Keras model whose outputs are the features. By
            default they are the input of the model's last `Dense` layer.
        paths: Optional sequence of a path per image, which the veto file
            holds. Defaults to the `file_paths` of the images.
        batch_size: Int, the number of images that are predicted at a time.
        seed: Int, of the draws behind the intervals.
        verbose: `"auto"`, 0, 1, or 2, as in `fit`. 0 draws no progress bar.

    Returns:
        A `PoolExamination` with `scores`, `weights`, `class_shares` and
        `copies`. It can be printed, drawn by `figure()`, and written by
        `save(folder)`, with a veto file.

    Raises:
        ValueError: If an argument has another form than above, or the model
            returns other than finite scores.

    Example:

    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((1, 1, 3)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2),
    ...     ]
    ... )
    >>> kinds = np.repeat([0, 1, 2], 40)  # The last kind has no label.
    >>> noise = np.random.default_rng(0).random((120, 3))
    >>> images = (9 * np.eye(3)[kinds] + noise).reshape(120, 1, 1, 3)
    >>> chosen = np.r_[:10, 40:50]
    >>> examination = keras_fewlabels.evaluation.examine_pool(
    ...     model, (images[chosen], kinds[chosen]), images, verbose=0
    ... )
    >>> np.unique(kinds[examination.is_foreign])
    array([2])
    """
    check_run(model, batch_size, seed)
    check_int(num_shown, "num_shown")
    check_verbose(verbose)
    labeled = labeled_arrays(labeled, "labeled")
    measured = {
        part: labeled_arrays(data, f"{part}_data")
        for part, data in (("test", test_data), ("validation", validation_data))
        if data is not None
    }
    parts = {**measured, "labeled": labeled}
    sources = {
        part: image_source(images, part) for part, (images, _) in parts.items()
    }
    pool = sources["unlabeled"] = image_source(unlabeled, paths=paths)
    progress = progress_over(
        [sources["labeled"], pool],
        batch_size,
        1 if feature_model is None else 2,
        verbose,
    )
    several = num_several_labels(model) is not None
    features, outputs = zip(
        *(
            features_and_probabilities(
                model, source, batch_size, feature_model, progress, several
            )
            for source in (sources["labeled"], pool)
        ),
        strict=True,
    )
    num_classes = outputs[0].shape[1]
    check_class_names(class_names, num_classes)
    foreign, shares = _findings(features, parts, num_classes, several, seed)
    # The first part that has an image is the one that it is a copy from.
    copies, hashes = find_copies(sources)
    order = most_foreign(foreign, len(pool))
    shown = order[:num_shown]
    pairs = _pairs(copies, sources, num_shown)
    rest = foreign.is_foreign
    rest[leaks(copies)] = True
    first = dict.fromkeys([*shown.tolist(), *pairs])
    rest[list(first)] = False
    named = [*first, *order[rest[order]]]
    rows = _rows(pool, hashes["unlabeled"], named)
    return PoolExamination(
        foreign, shares, copies, pool.take(shown), rows, class_names, pairs
    )


def _rows(pool, hashes, indices):
    """Returns what `image_rows` does, with hashes that are known."""
    return [
        {
            "index": int(index),
            "path": "" if pool.paths is None else pool.paths[index],
            "hash": f"h{hashes[index]}",
        }
        for index in indices
    ]


def _pairs(copies, sources, count):
    """Returns unlabelled copies, those of images to measure with first.

    Args:
        copies: List of `Copy`.
        sources: Dict of the names of parts to `ImageSource`.
        count: Int, the number of pairs at most.

    Returns:
        Dict of the numbers of copies to triples of the copy, the image that
        it is a copy of, and the path of that, or `""`.
    """
    order, pool = list(sources), sources["unlabeled"]
    found = [copy for copy in copies if copy.part == "unlabeled"]
    found.sort(key=lambda copy: order.index(copy.other_part))
    pairs = {}
    # A dataset is read once for all of a part.
    for part in order:
        of_part = [copy for copy in found[:count] if copy.other_part == part]
        if of_part:
            source, places = sources[part], [c.other_index for c in of_part]
            images = pool.take([copy.index for copy in of_part])
            paths = source.paths or [""] * len(source)
            for copy, *both in zip(
                of_part, images, source.take(places), strict=True
            ):
                pairs[copy.index] = *both, paths[copy.other_index]
    return pairs


def _findings(features, parts, num_classes, several, seed):
    """Returns what `examine_features` does; no shares of several labels."""
    for part, (_, labels) in parts.items():
        check_labels(
            labels,
            f"labels of {part}",
            num_classes=num_classes,
            one_true=not several,
        )
    if not several:
        classes = class_numbers(parts["labeled"][1])
        targets = keras.utils.to_categorical(classes, num_classes)
        return examine_features(*features, targets, seed)
    # Foreign is what no labelled image is like, whatever its labels are.
    one_class = np.zeros(len(features[0]), int)
    features = np.concatenate(features)
    graph = NeighborGraph(features)
    return foreign_images(graph, one_class, len(features), seed), None


def examine_features(labeled, unlabeled, targets, seed=0):
    """Finds foreign images and the shares of the classes of the others.

    Args:
        labeled: Float array `(num_labeled, num_features)`.
        unlabeled: Float array `(num_unlabeled, num_features)`.
        targets: Float array `(num_labeled, num_classes)`, rows of
            probabilities.
        seed: Int.

    Returns:
        `ForeignImages`, and `ClassShares` or, if a class has a single label,
        `None`.
    """
    features = np.concatenate([labeled, unlabeled])
    classes = targets.argmax(axis=1)
    classifier = FeatureClassifier(features, targets)
    foreign = foreign_images(classifier.graph, classes, len(features), seed)
    known = unlabeled[~foreign.is_foreign]
    if not len(known):
        return foreign, None
    if len(known) < len(unlabeled):
        features = np.concatenate([labeled, known])
        classifier = FeatureClassifier(features, targets)
    return foreign, shares_by(classifier, known, classes, seed)
