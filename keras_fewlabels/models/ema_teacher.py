import weakref

import keras
from keras import ops

from keras_fewlabels.foundation import check_fraction
from keras_fewlabels.models.copy_model import copy_model


@keras.saving.register_keras_serializable(package="keras_fewlabels")
class EMATeacher(keras.layers.Layer):
    """A teacher that is the moving average of its student.

    The average changes slowly and is usually better than the student of the
    same step, so its pseudo-labels are better too. Batch-norm statistics are
    averaged with the weights. The decay warms up as
    `min(decay, (1 + updates) / (10 + updates))`. An average of constant decay
    would still hold a share of the initial statistics after thousands of
    steps, which ruins its predictions.

    Pass it to `NoisyStudentModel(student, teacher=EMATeacher())`, which makes
    it follow the student. `teacher.model` is an ordinary Keras model to
    evaluate, save or pass to `models.standalone`.

    Reference:
        - [Tarvainen and Valpola, 2017](https://arxiv.org/abs/1703.01780),
          Mean Teacher.

    Args:
        decay: Float in `[0, 1)`, the share of the average that each update
            keeps after the warm-up.

    Call arguments:
        images: Tensor as the student takes it.

    Returns:
        The predictions of the averaged student, always with
        `training=False`.

    Raises:
        ValueError: If `decay` is outside `[0, 1)`, or the layer is called
            before it follows a student.

    Example:

    >>> student = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> teacher = keras_fewlabels.models.EMATeacher(decay=0.9)
    >>> teacher.follow(student)
    >>> student.set_weights([np.ones((3, 2)), np.ones(2)])
    >>> teacher.update(student)  # the first update keeps only 1 / 10
    >>> teacher.model.get_weights()[1].round(3)
    array([0.9, 0.9], dtype=float32)
    """

    def __init__(self, decay=0.999, **kwargs):
        super().__init__(trainable=False, **kwargs)
        check_fraction(decay, "decay", hint="Near 1 it averages more steps")
        self.decay = decay
        self.model = None
        self.updates = None
        self._trainer = None

    def follow(self, student):
        """Starts the average as a copy of `student`, a built Keras model."""
        self.model = copy_model(student)
        self.model.trainable = False
        self.updates = self.add_weight(
            shape=(),
            initializer="zeros",
            dtype="int32",
            trainable=False,
            aggregation="only_first_replica",
            name="updates",
        )
        self.built = True

    def trained_by(self, model):
        """Remembers the model whose compiled loss tells what scores mean."""
        # Keras would track a model itself as a layer of this one.
        self._trainer = weakref.ref(model)

    @property
    def loss(self):
        """The compiled loss of the model that trains the student, if any."""
        return getattr(self._trainer and self._trainer(), "loss", None)

    def update(self, student, changed=None, has_stepped=None):
        """Moves the average towards the weights the student has now.

        Args:
            student: Keras model that the average follows.
            changed: Optional set of the `id` of each weight of the student
                that may have changed since the average began to follow it. To
                trace all weights takes a seventh of the time before the first
                step of an EfficientNet. By default it is all of them.
            has_stepped: Optional boolean tensor, whether the optimizer has
                moved the student. If it accumulates gradients, it does so
                every few batches, and the average moves as often.
        """
        moves = ops.cast(True if has_stepped is None else has_stepped, "int32")
        updates = ops.cast(self.updates, "float32")
        share = 1 - ops.minimum(self.decay, (1 + updates) / (10 + updates))
        share *= ops.cast(moves, "float32")
        for average, weight in zip(
            self.model.weights, student.weights, strict=True
        ):
            if changed is not None and id(weight) not in changed:
                continue
            if keras.backend.is_float_dtype(average.dtype):
                share_of = ops.cast(share, average.dtype)
                average.assign(average + share_of * (weight - average))
            else:
                average.assign(weight)
        self.updates.assign_add(moves)

    def call(self, images):
        if self.model is None:
            raise ValueError(
                "An EMATeacher predicts only once it follows a student. Pass "
                "it to `NoisyStudentModel(student, teacher=...)`, or call "
                "`teacher.follow(student)`. Received: no student"
            )
        return self.model(images, training=False)

    @property
    def metrics(self):
        # A copy of a compiled student has metrics, but is not evaluated here.
        return []

    def get_config(self):
        config = super().get_config()
        del config["trainable"]
        config.update({"decay": self.decay})
        return config
