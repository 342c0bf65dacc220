import pathlib

import keras
import numpy as np
from keras import ops

from keras_fewlabels.callbacks.tensorboard.shown_images import (
    first_images,
)
from keras_fewlabels.callbacks.tensorboard.view_cards import shades
from keras_fewlabels.data.checks import check_labels, class_numbers
from keras_fewlabels.foundation import (
    atomic_write,
    check_called,
    check_class_names,
    check_int,
    graph_of,
    head_input,
    optional_import,
    predict_array,
    printable,
    resolve_value_range,
    writable_folder,
    write_whole,
)
from keras_fewlabels.policies.parts import scores_of

# In pixels. Browsers do not show a larger texture.
_LARGEST_SPRITE = 8192


class TensorBoardEmbeddings(keras.callbacks.Callback):
    """Shows the features of images in the projector of TensorBoard.

    Each image is a point with a thumbnail. Its place is given by the features
    that the last layer of the model classifies. The projector reduces them by
    PCA, t-SNE or UMAP, colours them by label or prediction, and finds
    neighbours. An image among images of another class may be labelled wrong.

    The files are in `log_dir/embeddings`. `log_dir/projector_config.pbtxt`
    lists them, and replaces that of
    `keras.callbacks.TensorBoard(embeddings_freq=...)`.

    Args:
        log_dir: String or path, the `log_dir` of `TensorBoard`.
        x: Array of images of shape `(num_images, height, width, channels)`
            with 1 or 3 channels, `data.ImageFiles`, or a dataset of images.
            The first `num_images` are shown.
        y: Optional array of class numbers, with -1 where the class is not
            known, or of one-hot labels.
        layer: Optional string, the name of a layer whose outputs are the
            features. By default, they are the inputs of the last `Dense`
            layer.
        class_names: Optional list of strings. By default classes are numbers.
        value_range: Pair of numbers, the values of black and white. By
            default `(0, 255)` for images of uint8, and for others the
            narrowest of `(0, 1)`, `(-1, 1)` and `(0, 255)` that holds all
            values of the images shown.
        num_images: Int, the largest number of images to show.
        every: Optional int, the number of epochs from one embedding to the
            next. By default there is one, at the end of the fit.

    Raises:
        ValueError: If images and labels do not match, an argument is out of
            its range, or, when the fit begins, if the model has no graph or
            no such layer.
        OSError: If `log_dir` cannot be written to, when the fit begins.
        ImportError: If Pillow is not installed.

    Example:

    >>> import pathlib, tempfile
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
    ...     callback = keras_fewlabels.callbacks.TensorBoardEmbeddings(
    ...         log_dir, x, y, class_names=["cat", "dog"]
    ...     )
    ...     history = model.fit(x, y, callbacks=[callback], verbose=0)
    ...     folder = pathlib.Path(log_dir, "embeddings")
    ...     sorted(path.name for path in folder.iterdir())
    ['epoch_0000.metadata.tsv', 'epoch_0000.tsv', 'sprite.png']
    """

    def __init__(
        self,
        log_dir,
        x,
        y=None,
        *,
        layer=None,
        class_names=None,
        value_range=None,
        num_images=1000,
        every=None,
    ):
        super().__init__()
        check_int(num_images, "num_images")
        check_int(every, "every", optional=True)
        optional_import("PIL.Image", "tensorboard")
        self.log_dir = pathlib.Path(log_dir)
        source, self.x = first_images(x, "x", num_images)
        self.y = None
        if y is not None:
            self.y = _class_numbers(y, len(source))[:num_images]
        check_class_names(
            class_names, None if y is None else 1 + max(self.y), at_least=True
        )
        self.layer = layer
        self.class_names = class_names
        self.value_range = resolve_value_range(value_range, self.x, "x")
        self.every = every

    def on_train_begin(self, logs=None):
        # Computed once before training, so that errors come at once.
        embedding_features(self.model, self.x[:1], self.layer)
        self._scores = scores_of(
            predict_array(self.model, self.x), self.model, only_ranked=True
        )
        log_dir = writable_folder(self.log_dir, "log_dir")
        self._config = log_dir / "projector_config.pbtxt"
        self._folder = writable_folder(log_dir / "embeddings", "log_dir")
        self._sprite_side = self._write_sprite()
        self._written = []
        self._epoch = None

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch
        if self.every and epoch % self.every == 0:
            self._write(epoch)

    def on_train_end(self, logs=None):
        if self._epoch is not None and self._epoch not in self._written:
            self._write(self._epoch)

    def _write(self, epoch):
        # On JAX only this attribute gives the model its present weights.
        model = self.model
        features = embedding_features(model, self.x, self.layer)
        outputs = predict_array(model, self.x)
        scores = ops.convert_to_numpy(self._scores.probabilities(outputs))
        stem = f"epoch_{epoch:04d}"
        with atomic_write(self._folder / f"{stem}.tsv") as file:
            np.savetxt(file, features, "%.6g", delimiter="\t")
        lines = ["index\tlabel\tprediction", *self._metadata(scores)]
        metadata = self._folder / f"{stem}.metadata.tsv"
        write_whole(metadata, "\n".join(lines) + "\n")
        self._written.append(epoch)
        self._write_config()

    def _metadata(self, scores):
        for number, prediction in enumerate(scores.argmax(axis=1)):
            label = -1 if self.y is None else self.y[number]
            yield f"{number}\t{self._name(label)}\t{self._name(prediction)}"

    def _name(self, label):
        if label < 0:
            return "unknown"
        if self.class_names is None:
            return str(label)
        # A tab would start another column.
        return printable(self.class_names[label])

    def _write_config(self):
        # The projector opens the first in the order of their names.
        text = "".join(
            _CONFIG.format(
                is_last="(last) " if epoch == self._written[-1] else "",
                epoch=epoch,
                side=self._sprite_side,
            )
            for epoch in self._written
        )
        write_whole(self._config, text)

    def _write_sprite(self):
        """Writes a square of thumbnails, and returns the side of one."""
        Image = optional_import("PIL.Image", "tensorboard")
        columns = int(np.ceil(np.sqrt(len(self.x))))
        largest = _LARGEST_SPRITE // columns
        side = min(max(32, *self.x.shape[1:3]), 64, largest)
        sprite = Image.new("RGB", (columns * side, columns * side), "white")
        for number, image in enumerate(shades(self.x, self.value_range)):
            row, column = divmod(number, columns)
            thumbnail = Image.fromarray(image).resize((side, side))
            sprite.paste(thumbnail, (column * side, row * side))
        with atomic_write(self._folder / "sprite.png") as file:
            sprite.save(file, "png")
        return side


_CONFIG = """embeddings {{
  tensor_name: "{is_last}epoch {epoch}"
  tensor_path: "embeddings/epoch_{epoch:04d}.tsv"
  metadata_path: "embeddings/epoch_{epoch:04d}.metadata.tsv"
  sprite {{
    image_path: "embeddings/sprite.png"
    single_image_dim: {side}
    single_image_dim: {side}
  }}
}}
"""


def _class_numbers(y, num_images):
    y = np.asarray(y)
    is_unknown = (y == -1) & (y.ndim == 1)
    check_labels(np.where(is_unknown, 0, y), "y", num_images=num_images)
    return class_numbers(y)


def embedding_features(model, images, layer=None, batch_size=128):
    """Returns the features of images that the head of a classifier takes.

    Args:
        model: Functional or `Sequential` model, or a model with such a
            `student`.
        images: Array of shape `(num_images, height, width, channels)`.
        layer: Optional string, the name of a layer whose outputs are the
            features. By default, they are the inputs of the last `Dense`
            layer.
        batch_size: Int.

    Returns:
        Float32 array of shape `(num_images, num_features)`.

    Raises:
        ValueError: If the model has no graph or no such layer, or preprocesses
            images outside of its layers.
    """
    student = getattr(model, "student", model)
    check_called(student, "model", images)
    graph = graph_of(student)
    if graph is None:
        raise ValueError(
            "Features are taken out of a functional or `Sequential` model. "
            f"Received: model={student!r}"
        )
    extractor = keras.Model(graph.inputs, _features_tensor(graph, layer))
    features = predict_array(extractor, images, batch_size)
    return features.reshape(len(features), -1).astype("float32")


def _features_tensor(graph, layer):
    names = [member.name for member in graph.layers]
    if layer is None:
        tensor = head_input(graph)
        if tensor is None:
            raise ValueError(
                "The model has no `Dense` layer whose inputs could be the "
                "features. Pass the name of a layer as `layer`. "
                f"Received: layers {names}"
            )
        return tensor
    if layer not in names:
        raise ValueError(
            f"`layer` must be the name of a layer out of {names}. "
            f"Received: layer={layer!r}"
        )
    return graph.get_layer(layer).output
