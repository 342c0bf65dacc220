import math

from keras_fewlabels.evaluation.frozen_features.compute_features import (
    BATCH_SIZE,
)

# More images would need gigabytes for the similarities of all pairs.
MAX_UNLABELED = 20_000
# So many are read before fine-tuning has a claim to the time. Of more of them,
# all passes may take that part of the time that is left.
_ENOUGH, _SHARE = 2_000, 0.4


def plan_features(reader, labeled, task, clock, progress):
    """Decides how many images of a pool a run reads, and whether mirrored.

    That rests on the time that the first labelled images take. Each rung of
    fine-tuning reads the images anew. Of a large pool no more are therefore
    read than leave time for that, unless there is none in any case.

    Args:
        reader: `FeatureReader` of the first pass.
        labeled: `ImageSource`, the labelled images.
        task: `Task`.
        clock: `RunClock`.
        progress: `RunProgress`.

    Returns:
        Dict for JSON of `num_unlabeled`, and `mirrored`, whether there is time
        for the mirror images in the first pass.
    """
    may_mirror, reader.mirrored = reader.mirrored, False
    size = min(len(labeled), BATCH_SIZE)
    reader.read(labeled, size, images="labeled")
    reader.mirrored = may_mirror
    pool = min(len(task.unlabeled), MAX_UNLABELED)
    most = max(_ENOUGH, _num_with_time(reader, clock, progress))
    num_images = int(min(pool, most))
    num_passes = clock.seconds_left_for_features / reader.seconds_per_image
    for_all = num_images + len(labeled)
    num_left = max(0, num_passes - (len(labeled) - size))
    return {
        "mirrored": may_mirror and num_passes >= 2 * for_all,
        "num_unlabeled": int(min(num_images, num_left)),
    }


def _num_with_time(reader, clock, progress):
    """Returns of how many images the features leave time for training."""
    rungs = progress.shortest("fine-tuning")
    # With two passes, before and after it.
    costs = [
        progress.cost(rung) - rung.num_predicted + 2 * _ENOUGH for rung in rungs
    ]
    seconds = clock.seconds_left - clock.tracing_of_step
    num_passes = seconds / reader.seconds_per_image
    if num_passes < min(costs, default=math.inf):
        return math.inf
    # The first pass is one of mirror images, too.
    return _SHARE * num_passes / (2 + len(rungs))
