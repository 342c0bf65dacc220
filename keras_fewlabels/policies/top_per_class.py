import keras
import numpy as np
from keras import ops

from keras_fewlabels.policies.parts.pseudo_targets import pseudo_targets


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class TopPerClass(keras.layers.Layer):
    """Keeps the most confident images of each class, equally many of each.

    The selection of Noisy Student: of every class at most `num_per_class`
    images, those that the teacher is surest of; where a class has fewer, they
    are repeated up to that number. It compares the images with each other and
    so wants to see all of them at once: pass it to `callbacks.PseudoLabeler`
    as `balance`, after a policy with a threshold, or as `policy`.

    Reference:
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252): 130,000 images
          per class of ImageNet, above a confidence of 0.3.

    Args:
        num_per_class: Positive int, how often each class is seen.
        **kwargs: As for every Keras layer. The dtype is float32 by default,
            whatever the global policy.

    Call arguments:
        probabilities: Float tensor of shape `(num_images, num_classes)`, the
            class probabilities of all unlabelled images.

    Returns:
        `(targets, weights)`: the likeliest class one-hot, of shape
        `(num_images, num_classes)`, and how often the image is to be seen, of
        shape `(num_images,)`: whole numbers, 0 for images that are left out.

    Raises:
        ValueError: If `num_per_class` is no positive int.

    Example:

    >>> policy = keras_fewlabels.policies.TopPerClass(2)
    >>> probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0, 1]])
    >>> targets, weights = policy(probabilities)
    >>> [int(weight) for weight in weights]
    [1, 0, 1, 2]
    """

    def __init__(self, num_per_class, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not isinstance(num_per_class, int) or num_per_class < 1:
            raise ValueError(
                "`num_per_class` must be a positive number of images. "
                f"Received: num_per_class={num_per_class!r}"
            )
        self.num_per_class = num_per_class

    def call(self, probabilities):
        targets = pseudo_targets(probabilities, soft=False)
        # Each class on its own: the rank of an image among those of its class.
        surest_first = ops.argsort(-ops.max(probabilities, axis=-1))
        ranked = ops.take(targets, surest_first, axis=0)
        rank = ops.sum((ops.cumsum(ranked, axis=0) - 1) * ranked, axis=-1)
        rank = ops.take(rank, ops.argsort(surest_first), axis=0)
        kept = ops.minimum(ops.sum(targets, axis=0), self.num_per_class)
        kept = ops.sum(targets * kept, axis=-1)
        times = ops.floor((self.num_per_class - 1 - rank) / kept) + 1
        return targets, ops.where(rank < kept, times, ops.zeros_like(times))

    def choose(self, groups):
        """Repeats or cuts the images of each class.

        Args:
            groups: List with an int array per class, its images, the most
                confident one first.

        Returns:
            Int array with the numbers of the chosen images.
        """
        size = self.num_per_class
        return np.concatenate(
            [np.resize(group[:size], size) for group in groups]
        )

    def compute_output_shape(self, input_shape):
        return tuple(input_shape), tuple(input_shape[:-1])

    def get_config(self):
        return {**super().get_config(), "num_per_class": self.num_per_class}
