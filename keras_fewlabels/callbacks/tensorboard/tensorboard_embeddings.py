import pathlib

import keras
import numpy as np

from keras_fewlabels.callbacks.tensorboard.checks import (
    check_class_names,
    checked_images,
    checked_labeled,
)
from keras_fewlabels.callbacks.tensorboard.view_cards import load_pillow, shades
from keras_fewlabels.foundation.arguments import check_int, check_value_range
from keras_fewlabels.layers.model_graph import graph_of, head_input

# Browsers take no larger texture.
_LARGEST_SPRITE = 8192


class TensorBoardEmbeddings(keras.callbacks.Callback):
    """Shows in the projector of TensorBoard how a model arranges images.

    Each image is a point with a thumbnail, where the model sees it: at the
    features that its last layer classifies. The projector turns them by PCA,
    t-SNE or UMAP, colours them by label or prediction, and finds neighbours.
    A labelled image among those of another class may be labelled wrong.

    The files are in `log_dir/embeddings`; `log_dir/projector_config.pbtxt`
    names them, in the place of one written by
    `keras.callbacks.TensorBoard(embeddings_freq=...)`.

    Args:
        log_dir: String or path, the `log_dir` of `TensorBoard`.
        x: Array of images of shape `(num_images, height, width, channels)`
            with 1 or 3 channels. The first `num_images` are shown.
        y: Optional array of class numbers, with -1 where the class is not
            known, or of one-hot labels.
        layer: Optional string, the name of a layer whose outputs are the
            features. By default what the last `Dense` layer takes.
        class_names: Optional list of strings. By default classes are numbers.
        value_range: Pair of floats, the values of black and white.
        num_images: Int, how many images at most.
        every: Optional int, the number of epochs from one embedding to the
            next. By default there is one, at the end of the fit.

    Raises:
        ValueError: If an argument is not as above.
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
        layer=None,
        class_names=None,
        value_range=(0, 255),
        num_images=1000,
        every=None,
    ):
        super().__init__()
        check_int(num_images, "num_images")
        if every is not None:
            check_int(every, "every")
        check_value_range(value_range)
        load_pillow()
        self.log_dir = pathlib.Path(log_dir)
        self.x = checked_images(x, "x", num_images)
        self.y = _checked_labels(x, y, num_images)
        check_class_names(class_names, self.y)
        self.layer = layer
        self.class_names = class_names
        self.value_range = value_range
        self.every = every

    def on_train_begin(self, logs=None):
        # A layer that is not there is said before the training.
        embedding_features(self.model, self.x[:1], self.layer)
        self._folder = self.log_dir / "embeddings"
        self._folder.mkdir(parents=True, exist_ok=True)
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
        scores = np.asarray(model.predict(self.x, verbose=0))
        stem = f"epoch_{epoch:04d}"
        np.savetxt(
            self._folder / f"{stem}.tsv", features, "%.6g", delimiter="\t"
        )
        lines = ["index\tlabel\tprediction", *self._metadata(scores)]
        metadata = self._folder / f"{stem}.metadata.tsv"
        metadata.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._written.append(epoch)
        self._write_config()

    def _metadata(self, scores):
        for number, prediction in enumerate(scores.argmax(axis=1)):
            label = -1 if self.y is None else self.y[number]
            names = [self._name(each) for each in (label, prediction)]
            yield "\t".join([str(number), *names])

    def _name(self, label):
        if label < 0:
            return "unknown"
        if self.class_names is None:
            return str(label)
        # A tab would start another column.
        return " ".join(self.class_names[label].split())

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
        (self.log_dir / "projector_config.pbtxt").write_text(text)

    def _write_sprite(self):
        """A square of thumbnails, in rows; returns the side of one."""
        Image = load_pillow()
        columns = int(np.ceil(np.sqrt(len(self.x))))
        largest = _LARGEST_SPRITE // columns
        side = min(max(32, *self.x.shape[1:3]), 64, largest)
        sprite = Image.new("RGB", (columns * side, columns * side), "white")
        for number, image in enumerate(shades(self.x, self.value_range)):
            row, column = divmod(number, columns)
            thumbnail = Image.fromarray(image).resize((side, side))
            sprite.paste(thumbnail, (column * side, row * side))
        sprite.save(self._folder / "sprite.png")
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


def _checked_labels(x, y, num_images):
    if y is None:
        return None
    y = np.asarray(y)
    # Where the class is not known, any one will pass the check.
    known = np.where(y == -1, 0, y) if y.ndim == 1 else y
    _, labels = checked_labeled((x, known), num_images)
    return np.where(y[:num_images] == -1, -1, labels) if y.ndim == 1 else labels


def embedding_features(model, images, layer=None, batch_size=128):
    """What the head of a classifier sees of images.

    Args:
        model: Functional or `Sequential` model; where it wraps a student, the
            student is taken.
        images: Array of shape `(num_images, height, width, channels)`.
        layer: Optional string, the name of a layer whose outputs are taken
            instead of what the last `Dense` layer takes.
        batch_size: Int.

    Returns:
        Float32 array of shape `(num_images, num_features)`.

    Raises:
        ValueError: If the model has no graph or no such layer.
    """
    student = getattr(model, "student", model)
    graph = graph_of(student)
    if graph is None:
        raise ValueError(
            "Features are taken out of a functional or `Sequential` model. "
            f"Received: model={student!r}"
        )
    features = keras.Model(graph.inputs, _tensor_of(graph, layer))
    found = features.predict(images, batch_size=batch_size, verbose=0)
    return found.reshape(len(found), -1).astype("float32")


def _tensor_of(graph, layer):
    names = [each.name for each in graph.layers]
    if layer is None:
        tensor = head_input(graph)
        if tensor is None:
            raise ValueError(
                "The model has no `Dense` layer, whose input would be the "
                "features. Give the name of a layer as `layer`. "
                f"Received: layers {names}"
            )
        return tensor
    if layer not in names:
        raise ValueError(
            f"`layer` must be the name of a layer out of {names}. "
            f"Received: layer={layer!r}"
        )
    return graph.get_layer(layer).output
