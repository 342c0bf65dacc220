"""What a phase is fitted on."""

import dataclasses

from keras_fewlabels.data.labeled_batches import LabeledBatches
from keras_fewlabels.data.mixed_batches import MixedBatches
from keras_fewlabels.data.unlabeled_source import is_dataset


@dataclasses.dataclass(frozen=True)
class Feed:
    """An epoch of batches.

    Args:
        dataset: What `fit()` takes.
        num_steps: Int, its number of batches.
        order: Object with `begin_epoch(epoch)`.
    """

    dataset: object
    num_steps: int
    order: object


def labeled_feed(labeled, batch_size, num_steps, seed):
    """Labelled images alone, as many passes as make the steps."""
    batches = LabeledBatches(*labeled, batch_size, num_steps, seed)
    return Feed(batches.as_dataset(), num_steps, batches)


def mixed_feed(labeled, unlabeled, sizes, num_steps, seed, truth=None):
    """Labelled and unlabelled images.

    An epoch out of arrays has `num_steps` batches. Out of a dataset it is one
    pass over the unlabelled images, or as many as come nearest to that.
    """
    if not is_dataset(unlabeled):
        batches = MixedBatches(
            labeled, unlabeled, *sizes, True, seed, truth, num_steps
        )
        return Feed(batches.as_dataset(), num_steps, batches)
    from keras_fewlabels.data.mixed_streams import MixedStreams

    streams = MixedStreams(labeled, unlabeled, sizes, True, seed, truth)
    num_passes = max(1, round(num_steps / streams.num_steps))
    dataset = streams.as_dataset(num_passes)
    return Feed(dataset, num_passes * streams.num_steps, streams)
