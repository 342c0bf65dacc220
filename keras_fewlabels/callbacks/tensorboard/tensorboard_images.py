import io
import pathlib
import time

import keras
import numpy as np
from keras import ops

from keras_fewlabels.callbacks.backup.seed_epochs import seed_generator_states
from keras_fewlabels.callbacks.tensorboard.shown_images import (
    first_labeled,
    first_unlabeled,
)
from keras_fewlabels.callbacks.tensorboard.view_cards import (
    Card,
    shades,
    view_cards,
)
from keras_fewlabels.foundation import (
    check_called,
    check_class_names,
    check_int,
    check_type,
    optional_import,
    resolve_value_range,
    when_fit_ends,
    writable_folder,
)
from keras_fewlabels.policies.parts import check_one_true, scores_of_loss


class TensorBoardImages(keras.callbacks.Callback):
    """Shows images in TensorBoard under noise, with their labels.

    Use it beside `keras.callbacks.TensorBoard`, which writes the scalars.
    Each card has an image, on its right an augmented view of it as in
    training, and below the label. For unlabelled images, the label is the
    pseudo-label with the teacher's confidence. The bar is green where the
    policy lets the pseudo-label count, with its weight if that is not 1, and
    grey where it does not. With `truth`, wrong pseudo-labels are red, or
    reddish grey. The policy of `AdaMatch` also needs `labeled` images.

    Noise, teacher and policy are those of the `NoisyStudentModel` in training.
    For any other model, pass its augmentation as `augment`; its pseudo-label
    is the class it predicts. The model gets its random numbers back after the
    drawing, so that it trains as without the callback.

    Args:
        log_dir: String or path, the `log_dir` of `TensorBoard`. The images
            are a run of their own in it, `images`.
        labeled: Optional pair `(images, labels)` of arrays, of shapes
            `(num_images, height, width, channels)` with 1 or 3 channels and
            `(num_images,)` or `(num_images, num_classes)`; or a dataset of
            such pairs.
        unlabeled: Optional images: an array, `data.ImageFiles` or a dataset.
            Of both, the first `num_images` are shown.
        truth: Optional int array, the true classes of `unlabeled`.
        augment: Optional layer that augments images, for models that do not
            do so themselves.
        class_names: Optional list of strings. By default classes are numbers.
        value_range: Pair of numbers, the values of black and white. By
            default `(0, 255)` for images of uint8, and for others the
            narrowest of `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all
            values of the images shown.
        num_images: Int, the number of images of each kind.
        every: Int, the number of epochs from one drawing to the next. The
            first is after epoch 0.

    Raises:
        ValueError: If there are no images, images and labels do not match,
            or an argument is out of its range.
        OSError: If `log_dir` cannot be written to, when the fit begins.
        ImportError: If Pillow is not installed, or, when the fit begins, if
            tensorboard is not installed.

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
        *,
        truth=None,
        augment=None,
        class_names=None,
        value_range=None,
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
        check_type(
            augment, "augment", keras.Layer, "a Keras layer", optional=True
        )
        optional_import("PIL.Image", "tensorboard")
        self.log_dir = pathlib.Path(log_dir)
        self.labeled = first_labeled(labeled, num_images)
        self.unlabeled, self.truth = first_unlabeled(
            unlabeled, truth, num_images
        )
        num_classes = self.labeled and 1 + max(self.labeled[1])
        check_class_names(class_names, num_classes, at_least=True)
        self.augment = augment
        self.class_names = class_names
        images = self.unlabeled if self.labeled is None else self.labeled[0]
        argument = "unlabeled" if self.labeled is None else "labeled"
        self.value_range = resolve_value_range(value_range, images, argument)
        self.every = every
        self._events = None

    def on_train_begin(self, logs=None):
        # Drawn once before training, so that errors come at once.
        check_called(self.model, "model")
        self._draw_sheets()
        folder = writable_folder(self.log_dir, "log_dir") / "images"
        self._events = ImageEvents(folder)
        when_fit_ends(self.on_train_end)

    def on_epoch_end(self, epoch, logs=None):
        if epoch % self.every:
            return
        for tag, sheet in self._draw_sheets().items():
            self._events.write(tag, sheet, epoch)
        self._events.flush()

    def on_train_end(self, logs=None):
        if self._events is not None:
            self._events.close()
            self._events = None

    def _draw_sheets(self):
        """Returns a dict of tags to pictures. The model stays as it was."""
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
        return {tag: view_cards(sheet) for tag, sheet in cards.items()}

    def _labeled_cards(self, model):
        images, labels = self.labeled
        noise = self._noise(model)
        if getattr(model, "labeled_noise", None) is not None:
            noise = model.add_labeled_noise
        return [
            Card(image, view, self._name(label))
            for image, view, label in zip(
                *self._views(images, noise), labels, strict=True
            )
        ]

    def _unlabeled_cards(self, model):
        targets, confidence, weights = self._pseudo_labels(model)
        labels = targets.argmax(axis=1)
        views = self._views(self.unlabeled, self._noise(model))
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
        """Returns targets, probabilities, and the weights of a policy."""
        images = ops.convert_to_tensor(self.unlabeled)
        if not hasattr(model, "teach"):
            predictions = ops.convert_to_numpy(self._predict(model, images))
            return predictions, predictions, None
        check_one_true(model.scores, "TensorBoardImages")
        probabilities = model.teach(images)
        labeled = None
        if self.labeled is not None:
            clean = ops.convert_to_tensor(self.labeled[0])
            labeled = self._predict(model, clean)
        targets, weights = model.policy(
            probabilities,
            training=False,
            labeled_probabilities=labeled,
            indices=ops.arange(len(images), dtype="int32"),
        )
        labels = (targets, probabilities, weights)
        return tuple(map(ops.convert_to_numpy, labels))

    def _predict(self, model, images):
        outputs = model(images, training=False)
        scores = scores_of_loss(model.loss, outputs.shape[-1])
        check_one_true(scores, "TensorBoardImages")
        return scores.probabilities(outputs)

    def _noise(self, model):
        return self.augment or getattr(model, "add_noise", None)

    def _views(self, images, noise):
        """Returns the images and their augmented views, ready to be drawn."""
        views = ops.convert_to_tensor(images)
        if isinstance(noise, keras.Layer):
            views = noise(views, training=True)
        elif noise is not None:
            views = noise(views)
        views = ops.convert_to_numpy(views)
        return shades(images, self.value_range), shades(views, self.value_range)

    def _name(self, label):
        return str(self.class_names[label] if self.class_names else label)


class ImageEvents:
    """Writes images to an event file, on any backend, without TensorFlow.

    TensorBoard's own `summary.Writer` writes only scalars without TensorFlow.

    Args:
        folder: String or path, the folder of one run.

    Raises:
        ImportError: If the package tensorboard is not installed.
    """

    def __init__(self, folder):
        module = "tensorboard.summary.writer.event_file_writer"
        writers = optional_import(module, "tensorboard")
        self._writer = writers.EventFileWriter(str(folder))

    def write(self, tag, image, step):
        """Adds an image.

        Args:
            tag: String, the title in TensorBoard.
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
