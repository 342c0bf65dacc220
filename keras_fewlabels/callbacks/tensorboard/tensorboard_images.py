import io
import pathlib
import time

import keras
import numpy as np
from keras import ops

from keras_fewlabels.callbacks.backup.seed_epochs import seed_generator_states
from keras_fewlabels.callbacks.tensorboard.checks import (
    check_class_names,
    checked_images,
    checked_labeled,
    checked_truth,
)
from keras_fewlabels.callbacks.tensorboard.view_cards import (
    Card,
    load_pillow,
    shades,
    view_cards,
)
from keras_fewlabels.foundation.arguments import check_int, check_value_range
from keras_fewlabels.policies.parts.class_probabilities import (
    class_probabilities,
    reads_logits,
)


class TensorBoardImages(keras.callbacks.Callback):
    """Shows in TensorBoard what the model sees, and what it is taught.

    Beside `keras.callbacks.TensorBoard`, which writes the scalars. Each card
    has an image as it is, on its right a view of it under the noise of
    training, and below the label. Unlabelled images have the pseudo-label and
    the teacher's confidence; the bar is green where the policy lets the label
    count, with its weight if that is not 1, and grey where it does not. With
    `truth`, those that are wrong are red, or reddish grey. The policy of
    `AdaMatch` also wants to see `labeled` images.

    Noise, teacher and policy are those of the `NoisyStudentModel` in training.
    For any other model give its augmentation as `augment`; the pseudo-label is
    then what it predicts. The random numbers of the model are put back after
    the drawing, so that it trains as without the callback.

    Args:
        log_dir: String or path, the `log_dir` of `TensorBoard`. The images
            are a run of their own in it, `images`.
        labeled: Optional pair `(images, labels)` of arrays, of shapes
            `(num_images, height, width, channels)` with 1 or 3 channels and
            `(num_images,)` or `(num_images, num_classes)`.
        unlabeled: Optional array of images. Of both, the first `num_images`
            are shown.
        truth: Optional int array, the true classes of `unlabeled`.
        augment: Optional layer that augments images, for models that do not
            do so themselves.
        class_names: Optional list of strings. By default classes are numbers.
        value_range: Pair of floats, the values of black and white.
        num_images: Int, how many images of each kind.
        every: Int, the number of epochs from one drawing to the next. The
            first is after epoch 0.

    Raises:
        ValueError: If an argument is not as above.
        ImportError: If tensorboard or Pillow is not installed.

    Example:

    >>> import tempfile
    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((8, 8, 1)),
    ...         keras.layers.Flatten(),
    ...         keras.layers.Dense(2, activation="softmax"),
    ...     ]
    ... )
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> x, y = np.zeros((4, 8, 8, 1)), np.array([0, 1, 0, 1])
    >>> with tempfile.TemporaryDirectory() as log_dir:
    ...     callback = keras_fewlabels.callbacks.TensorBoardImages(
    ...         log_dir, (x, y), augment=keras.layers.RandomFlip()
    ...     )
    ...     history = model.fit(x, y, callbacks=[callback], verbose=0)
    """

    def __init__(
        self,
        log_dir,
        labeled=None,
        unlabeled=None,
        truth=None,
        augment=None,
        class_names=None,
        value_range=(0, 255),
        num_images=12,
        every=1,
    ):
        super().__init__()
        if labeled is None and unlabeled is None:
            raise ValueError(
                "There must be images to show: `labeled=(images, labels)`, "
                "`unlabeled=images`, or both. Received: neither"
            )
        check_int(num_images, "num_images")
        check_int(every, "every")
        check_value_range(value_range)
        if augment is not None and not isinstance(augment, keras.Layer):
            raise ValueError(
                "`augment` must be a Keras layer. "
                f"Received: augment={augment!r}"
            )
        load_pillow()
        self.log_dir = pathlib.Path(log_dir)
        self.labeled = checked_labeled(labeled, num_images)
        self.unlabeled = checked_images(unlabeled, "unlabeled", num_images)
        self.truth = checked_truth(truth, unlabeled, num_images)
        check_class_names(class_names, self.labeled and self.labeled[1])
        self.augment = augment
        self.class_names = class_names
        self.value_range = value_range
        self.every = every

    def on_train_begin(self, logs=None):
        # What cannot be drawn is said before the training.
        self._sheets()
        self._events = ImageEvents(self.log_dir / "images")

    def on_epoch_end(self, epoch, logs=None):
        if epoch % self.every:
            return
        for tag, sheet in self._sheets().items():
            self._events.write(tag, sheet, epoch)
        self._events.flush()

    def on_train_end(self, logs=None):
        self._events.close()

    def _sheets(self):
        """Dict of tags to pictures. The model draws as if there were none."""
        # On JAX only this attribute gives the model its present weights.
        model = self.model
        states = seed_generator_states(model)
        before = [np.array(ops.convert_to_numpy(state)) for state in states]
        cards = {}
        if self.labeled is not None:
            cards["views/labelled"] = self._labeled_cards(model)
        if self.unlabeled is not None:
            cards["views/unlabelled"] = self._unlabeled_cards(model)
        for state, value in zip(states, before, strict=True):
            state.assign(value)
        return {tag: view_cards(each) for tag, each in cards.items()}

    def _labeled_cards(self, model):
        images, labels = self.labeled
        noise = self._noise_of(model)
        if getattr(model, "labeled_noise", None) is not None:
            noise = model.add_labeled_noise
        return [
            Card(image, view, self._name(label))
            for image, view, label in zip(
                *self._shown(images, noise), labels, strict=True
            )
        ]

    def _unlabeled_cards(self, model):
        targets, confidence, weights = self._pseudo_labels(model)
        labels = targets.argmax(axis=1)
        views = self._shown(self.unlabeled, self._noise_of(model))
        cards = []
        for number, (image, view) in enumerate(zip(*views, strict=True)):
            label = labels[number]
            caption = f"{self._name(label)} {confidence[number, label]:.2f}"
            kind = "plain"
            if weights is not None:
                kind = "counts" if weights[number] > 0 else "held back"
                if 0 < weights[number] != 1:
                    caption += f" x{weights[number]:.2f}"
            is_wrong = self.truth is not None and label != self.truth[number]
            cards.append(Card(image, view, caption, kind, bool(is_wrong)))
        return cards

    def _pseudo_labels(self, model):
        """Targets, probabilities, and weights if the model has a policy."""
        images = ops.convert_to_tensor(self.unlabeled)
        if not hasattr(model, "teach"):
            probabilities = self._predicted(model, images)
            return (*2 * (ops.convert_to_numpy(probabilities),), None)
        probabilities = model.teach(images)
        labeled = None
        if self.labeled is not None:
            clean = ops.convert_to_tensor(self.labeled[0])
            labeled = self._predicted(model, clean)
        targets, weights = model.policy(
            probabilities,
            training=False,
            labeled_probabilities=labeled,
            indices=ops.arange(len(images), dtype="int32"),
        )
        found = (targets, probabilities, weights)
        return tuple(map(ops.convert_to_numpy, found))

    def _predicted(self, model, images):
        outputs = model(images, training=False)
        return class_probabilities(outputs, reads_logits(model.loss))

    def _noise_of(self, model):
        return self.augment or getattr(model, "add_noise", None)

    def _shown(self, images, noise):
        """The images and their views, as they are drawn."""
        views = ops.convert_to_tensor(images)
        if isinstance(noise, keras.Layer):
            views = noise(views, training=True)
        elif noise is not None:
            views = noise(views)
        views = ops.convert_to_numpy(views)
        return [shades(each, self.value_range) for each in (images, views)]

    def _name(self, label):
        return str(self.class_names[label] if self.class_names else label)


class ImageEvents:
    """Writes images to an event file, on any backend, without TensorFlow.

    Args:
        folder: String, the folder of one run.

    Raises:
        ImportError: If the package tensorboard is not installed.
    """

    def __init__(self, folder):
        try:
            from tensorboard.summary.writer import event_file_writer
        except ImportError as error:
            raise ImportError(
                "Event files are written by the package tensorboard, which is "
                "not installed. Run `pip install "
                '"keras-fewlabels[tensorboard]"`.'
            ) from error
        self._writer = event_file_writer.EventFileWriter(str(folder))

    def write(self, tag, image, step):
        """Adds an image.

        Args:
            tag: String, what it is called.
            image: A `PIL.Image.Image`.
            step: Int, the epoch.
        """
        from tensorboard.compat.proto import event_pb2, summary_pb2

        content = io.BytesIO()
        image.save(content, "png")
        summary = summary_pb2.Summary.Image(
            width=image.width,
            height=image.height,
            colorspace=3,
            encoded_image_string=content.getvalue(),
        )
        value = summary_pb2.Summary.Value(tag=tag, image=summary)
        self._writer.add_event(
            event_pb2.Event(
                wall_time=time.time(),
                step=step,
                summary=summary_pb2.Summary(value=[value]),
            )
        )

    def flush(self):
        self._writer.flush()

    def close(self):
        self._writer.close()
