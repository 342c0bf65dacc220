import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.models import EMATeacher, NoisyStudentModel
from keras_fewlabels.policies import (
    DebiasedPolicy,
    DistributionAlignment,
    FixedThreshold,
    FreeMatchPolicy,
)

# `graphs` is for those that ask how Keras runs or saves a model.
pytestmark = pytest.mark.usefixtures("eager")

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(40, 2, 3, 1)).astype("float32")
LABELS = np.arange(12) % 3
KERNELS = RANDOM.normal(size=(2, 6, 3)).astype("float32")


def linear_model(kernel=KERNELS[0], activation="softmax", num_classes=3):
    model = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(
                num_classes, activation=activation, use_bias=False
            ),
        ]
    )
    if kernel is not None:
        model.set_weights([kernel])
    return model


TRUTH = np.arange(28) % 3


def mixed(labels=LABELS, images=IMAGES, **arguments):
    arguments = {"batch_size": 4, "unlabeled_ratio": 2, **arguments}
    return mix_labeled_unlabeled(
        (images[:12], labels), images[12:], shuffle=False, **arguments
    )


def compiled(*args, loss="sparse_categorical_crossentropy", **kwargs):
    model = NoisyStudentModel(*args, **kwargs)
    model.compile(keras.optimizers.SGD(0.5), loss, metrics=["accuracy"])
    return model


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def train_by_hand(kernel, teach, threshold, unlabeled_weight, noise=0.0):
    """Softmax regression, gradients written out, one pass of `mixed()`."""
    logs, history, histogram, right = {}, [], np.zeros(3), []
    flat = IMAGES.reshape(40, 6).astype("float64")
    for step in range(4):
        rows = np.arange(4 * step, 4 * step + 4) % 12
        x_l, y_l = flat[rows] + noise, np.eye(3)[LABELS[rows]]
        unlabeled_rows = (8 * step + np.arange(8)) % 28
        clean = flat[12 + unlabeled_rows]
        x_u = clean + noise
        taught = teach(clean, kernel, history)
        w_u = (taught.max(axis=1) >= threshold).astype(float)
        y_u = np.eye(3)[taught.argmax(axis=1)]
        p_l, p_u = softmax(x_l @ kernel), softmax(x_u @ kernel)
        supervised = -np.log((p_l * y_l).sum(axis=1)).mean()
        unlabeled = -(w_u * np.log((p_u * y_u).sum(axis=1))).mean()
        values = {
            "loss": supervised + unlabeled_weight * unlabeled,
            "supervised_loss": supervised,
            "unlabeled_loss": unlabeled,
            "mask_ratio": w_u.mean(),
            "confidence": taught.max(axis=1).mean(),
            "accuracy": (p_l.argmax(axis=1) == LABELS[rows]).mean(),
        }
        for name, value in values.items():
            logs.setdefault(name, []).append(value)
        kept = taught.argmax(axis=1)[w_u > 0]
        histogram += np.bincount(kept, minlength=3)
        right.extend(kept == TRUTH[unlabeled_rows[w_u > 0]])
        gradient = x_l.T @ (p_l - y_l) / 4
        gradient += unlabeled_weight * (
            x_u.T @ (w_u[:, None] * (p_u - y_u)) / 8
        )
        kernel = kernel - 0.5 * gradient
        history.append(kernel)
    shares = histogram[histogram > 0] / histogram.sum()
    return kernel, {
        **{name: np.mean(values) for name, values in logs.items()},
        "class_entropy": -(shares * np.log(shares)).sum() / np.log(3),
        "pseudo_label_accuracy": np.mean(right),
    }


def by_frozen_model(images, kernel, history):
    return softmax(images @ KERNELS[1])


def by_itself(images, kernel, history):
    return softmax(images @ kernel)


def by_average(images, kernel, history):
    average = KERNELS[0].astype("float64")
    for updates, later in enumerate(history):
        decay = min(0.6, (1 + updates) / (10 + updates))
        average = decay * average + (1 - decay) * later
    return softmax(images @ average)


TEACHERS = {
    "frozen model": (lambda: linear_model(KERNELS[1]), by_frozen_model),
    "itself": (lambda: None, by_itself),
    "average": (lambda: EMATeacher(decay=0.6), by_average),
}


@pytest.mark.parametrize("teacher", TEACHERS.values(), ids=TEACHERS)
def test_training_equals_the_formula(teacher, graphs):
    make_teacher, teach = teacher
    model = compiled(
        linear_model(),
        teacher=make_teacher(),
        policy=FixedThreshold(0.7),
        unlabeled_weight=0.7,
    )
    logs = model.fit(mixed(truth=TRUTH), verbose=0).history
    kernel, expected = train_by_hand(KERNELS[0], teach, 0.7, 0.7)
    assert 0.1 < expected["mask_ratio"] < 0.9
    np.testing.assert_allclose(
        model.student.get_weights()[0], kernel, rtol=1e-4, atol=1e-5
    )
    assert sorted(logs) == sorted(expected)
    for name, value in expected.items():
        assert logs[name][0] == pytest.approx(value, rel=1e-4), name


@pytest.mark.parametrize("teacher", TEACHERS.values(), ids=TEACHERS)
def test_logits_of_a_blank_image_are_subtracted(teacher):
    make_teacher, teach = teacher

    def teach_debiased(images, kernel, history):
        blank = np.full((1, 6), 0.4)
        taught = [teach(part, kernel, history) for part in (images, blank)]
        return softmax(np.log(taught[0]) - np.log(taught[1]))

    model = compiled(
        linear_model(), make_teacher(), FixedThreshold(0.7), blank_value=0.4
    )
    logs = model.fit(mixed(truth=TRUTH), verbose=0).history
    kernel, expected = train_by_hand(KERNELS[0], teach_debiased, 0.7, 1)
    np.testing.assert_allclose(
        model.student.get_weights()[0], kernel, rtol=1e-4, atol=1e-5
    )
    for name, value in expected.items():
        assert logs[name][0] == pytest.approx(value, rel=1e-4), name
    flat = IMAGES.reshape(40, 6)
    debiased = softmax((flat - 0.4) @ kernel)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0), debiased, atol=1e-4
    )
    accuracy = (debiased[:12].argmax(axis=1) == LABELS).mean()
    found = model.evaluate(IMAGES[:12], LABELS, verbose=0)[1]
    assert found == pytest.approx(accuracy)


def test_student_to_deploy_predicts_as_the_model_does():
    student = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    for blank_value in (None, 0.4):
        model = compiled(student, blank_value=blank_value)
        copy = model.debiased_student()
        np.testing.assert_allclose(
            copy.predict(IMAGES, verbose=0),
            model.predict(IMAGES, verbose=0),
            atol=1e-5,
        )


class Shift(keras.layers.Layer):
    """Noise that is seen in every image and always the same."""

    def call(self, images, training=None):
        return images + 0.3 if training else images


def test_noise_is_for_the_student_and_weak_noise_for_the_teacher():
    def teach(images, kernel, history):
        return softmax((images + 0.3) @ KERNELS[1])

    model = compiled(
        linear_model(),
        teacher=linear_model(KERNELS[1]),
        policy=FixedThreshold(0.7),
        noise=Shift(),
        weak_noise=Shift(),
    )
    model.fit(mixed(), verbose=0)
    expected, _ = train_by_hand(KERNELS[0], teach, 0.7, 1, noise=0.3)
    np.testing.assert_allclose(
        model.student.get_weights()[0], expected, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0),
        softmax(IMAGES.reshape(40, 6) @ expected),
        atol=1e-4,
    )


@pytest.mark.parametrize("separate_batch_norm", [False, True])
@pytest.mark.parametrize("labeled_noise", ["own", "weak", "weak, of none"])
def test_labeled_images_may_have_noise_of_their_own(
    labeled_noise, separate_batch_norm
):
    double, scale = keras.layers.Rescaling(2.0), 2
    noise = {"labeled_noise": double, "weak_noise": None}
    if labeled_noise == "weak":
        noise = {"labeled_noise": "weak", "weak_noise": double}
    elif labeled_noise == "weak, of none":
        noise, scale = {"labeled_noise": "weak", "weak_noise": None}, 1
    model = NoisyStudentModel(
        linear_model(),
        noise=Shift(),
        separate_batch_norm=separate_batch_norm,
        **noise,
    )
    batch = {"labeled": IMAGES[:4], "unlabeled": IMAGES[4:9]}
    seen = np.concatenate([scale * IMAGES[:4], IMAGES[4:9] + 0.3])
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(batch, training=True)),
        softmax(seen.reshape(9, 6) @ KERNELS[0]),
        rtol=1e-4,
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(batch, training=False)),
        softmax(IMAGES[:9].reshape(9, 6) @ KERNELS[0]),
        rtol=1e-4,
    )


def test_logits_and_one_hot_labels_train_the_same():
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model = compiled(
        linear_model(activation=None),
        teacher=linear_model(KERNELS[1], activation=None),
        policy=FixedThreshold(0.7),
        loss=loss,
    )
    model.fit(mixed(np.eye(3, dtype="float32")[LABELS]), verbose=0)
    expected, _ = train_by_hand(KERNELS[0], by_frozen_model, 0.7, 1)
    np.testing.assert_allclose(
        model.student.get_weights()[0], expected, rtol=1e-4, atol=1e-5
    )


def test_nothing_confident_equals_supervised_training():
    unsure = linear_model(np.zeros_like(KERNELS[0]))
    model = compiled(linear_model(), teacher=unsure)
    logs = model.fit(mixed(), epochs=2, verbose=0).history
    supervised = linear_model()
    supervised.compile(
        keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy"
    )
    order = np.concatenate([np.arange(16), np.arange(16)]) % 12
    supervised.fit(IMAGES[order], LABELS[order], 4, shuffle=False, verbose=0)
    # To the last bits: the longer batch adds its numbers in another order.
    np.testing.assert_allclose(
        model.student.get_weights()[0], supervised.get_weights()[0], atol=5e-7
    )
    assert logs["unlabeled_loss"] == [0, 0]
    assert logs["mask_ratio"] == [0, 0]


def test_frozen_teacher_never_changes():
    teacher = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    before = teacher.get_weights()
    model = compiled(linear_model(), teacher, policy=FixedThreshold(0.2))
    model.fit(mixed(), verbose=0)
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.tensorflow
def test_a_step_is_traced_once(graphs):
    traces = []

    class Counting(NoisyStudentModel):
        def train_step(self, *args):
            traces.append(args)
            return super().train_step(*args)

    model = Counting(linear_model())
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(mixed(np.eye(3)[LABELS]), epochs=2, verbose=0)
    assert len(traces) == 1


def test_evaluate_and_predict_are_those_of_the_student(graphs):
    model = compiled(linear_model(), EMATeacher())
    history = model.fit(
        mixed(), validation_data=(IMAGES[:12], LABELS), verbose=0
    ).history
    assert {name for name in history if name.startswith("val_")} == {
        "val_loss",
        "val_accuracy",
    }
    student = model.student
    student.compile(
        loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    np.testing.assert_allclose(
        model.evaluate(IMAGES[:12], LABELS, verbose=0),
        student.evaluate(IMAGES[:12], LABELS, verbose=0),
        rtol=1e-5,
    )
    np.testing.assert_array_equal(
        model.predict(IMAGES, verbose=0), student.predict(IMAGES, verbose=0)
    )


@pytest.mark.parametrize("teacher", TEACHERS.values(), ids=TEACHERS)
def test_models_that_are_compiled_on_their_own_change_nothing(teacher):
    student, teacher = linear_model(), teacher[0]()
    for model in (student, teacher):
        if isinstance(model, keras.Model):
            model.compile("adam", "mse", metrics=["mae"])
    model = compiled(student, teacher)
    assert "mae" not in model.fit(mixed(), verbose=0).history


def test_summary_is_that_of_the_student():
    lines = []
    NoisyStudentModel(linear_model()).summary(print_fn=lines.append)
    assert "Total params: 18" in "\n".join(lines)


def test_class_weight_counts_labeled_images():
    runs = []
    for class_weight in (None, {0: 1, 1: 1, 2: 1}, {0: 5, 1: 1, 2: 0.1}):
        model = compiled(linear_model(), linear_model(KERNELS[1]))
        model.fit(mixed(), class_weight=class_weight, verbose=0)
        runs.append(model.student.get_weights()[0])
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)
    assert np.abs(runs[0] - runs[2]).max() > 0.01


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weight_multiplies_the_loss_of_each_labeled_image(one_hot):
    labels = np.eye(3, dtype="float32")[LABELS] if one_hot else LABELS
    loss = "categorical_crossentropy" if one_hot else None
    model = compiled(
        linear_model(),
        linear_model(KERNELS[1]),
        **({"loss": loss} if one_hot else {}),
    )
    model.optimizer.learning_rate = 0.0
    data = mixed(labels, IMAGES[:20])
    class_weight = {0: 5, 1: 1, 2: 0.1}
    logs = model.fit(data, class_weight=class_weight, verbose=0).history
    predictions = softmax(IMAGES[:12].reshape(12, 6) @ KERNELS[0])
    losses = -np.log(predictions[np.arange(12), LABELS])
    weights = np.array([5, 1, 0.1])[LABELS]
    assert logs["supervised_loss"][0] == pytest.approx(
        (weights * losses).mean(), rel=1e-4
    )


def test_sample_weight_counts_labeled_images():
    supervised = np.array([1, 0, 0, 2, 1, 1, 0.5, 1, 1, 3, 1, 1], "float32")
    runs = []
    # A weight of 0 is as good as a label that is not there.
    for labels in (LABELS, np.where(supervised == 0, 2 - LABELS, LABELS)):
        model = compiled(linear_model(), linear_model(KERNELS[1]))
        data = mix_labeled_unlabeled(
            (IMAGES[:12], labels, supervised), IMAGES[12:], 4, 2, shuffle=False
        )
        model.fit(data, verbose=0)
        runs.append(model.student.get_weights()[0])
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)
    model = compiled(linear_model(), linear_model(KERNELS[1]))
    model.fit(mixed(), verbose=0)
    assert np.abs(runs[0] - model.student.get_weights()[0]).max() > 0.01


def normalized_model():
    model = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.layers[0].set_weights(np.array([[1.0], [0.0], [0.0], [1.0]]))
    return model


@pytest.mark.parametrize("separate", [False, True])
def test_batch_norm_sees_the_parts_together_or_apart(separate, graphs):
    shifted = np.concatenate([IMAGES[:12], IMAGES[12:] + 5])
    model = compiled(normalized_model(), separate_batch_norm=separate)
    model.fit(mixed(images=shifted, batch_size=12), verbose=0)
    parts = [shifted[:12].ravel(), shifted[12:36].ravel()]
    mean = 0.0
    for part in parts if separate else [np.concatenate(parts)]:
        # The momentum of 0.5 warms up: 1 / 10 in the first step.
        mean = 0.1 * mean + 0.9 * part.mean()
    # The second batch begins with the four images left over.
    parts = [shifted[:12].ravel(), shifted[[*range(36, 40), *range(12, 32)]]]
    for part in (
        parts if separate else [np.concatenate([p.ravel() for p in parts])]
    ):
        mean = 2 / 11 * mean + 9 / 11 * part.mean()
    moving_mean = model.student.layers[0].get_weights()[2]
    np.testing.assert_allclose(moving_mean, [mean], rtol=1e-4)


def test_keras_default_momentum_trains_a_short_fit_as_a_lower_one_does():
    weights = []
    for momentum in (0.99, 0.9):
        keras.utils.set_random_seed(0)
        student = keras.Sequential(
            [
                keras.Input((2, 3, 1)),
                keras.layers.Conv2D(4, 2),
                keras.layers.BatchNormalization(momentum=momentum),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model = compiled(student, EMATeacher(0.5))
        model.fit(mixed(), epochs=3, verbose=0)
        weights.append(student.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


class AddsLoss(keras.layers.Layer):
    def call(self, inputs):
        self.add_loss(3 * keras.ops.mean(inputs))
        return inputs


def test_what_layers_add_to_the_loss_counts_once(graphs):
    weights, losses = [], []
    for separate in (False, True):
        student = keras.Sequential(
            [
                keras.Input((2, 3, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(
                    3,
                    activation="softmax",
                    activity_regularizer="l2",
                    kernel_regularizer="l2",
                ),
                AddsLoss(),
            ]
        )
        student.set_weights([KERNELS[0], np.zeros(3)])
        model = compiled(
            student, linear_model(KERNELS[1]), separate_batch_norm=separate
        )
        losses.append(model.fit(mixed(), verbose=0).history["loss"])
        weights.append(student.get_weights()[0])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    np.testing.assert_allclose(*weights, rtol=1e-5)


class AddsBySort(keras.layers.Layer):
    """Adds 100 to the loss in training, 1 in inference."""

    def call(self, inputs, training=False):
        self.add_loss((100.0 if training else 1.0) + 0 * keras.ops.mean(inputs))
        return inputs


@pytest.mark.parametrize("teacher", [lambda: None, EMATeacher])
def test_what_layers_add_while_they_teach_does_not_count(teacher, graphs):
    losses = []
    for adds in (False, True):
        student = keras.Sequential(
            [
                keras.Input((2, 3, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax"),
                *([AddsBySort()] if adds else []),
            ]
        )
        student.set_weights([KERNELS[0], np.zeros(3)])
        model = compiled(student, teacher())
        losses.append(model.fit(mixed(), verbose=0).history["loss"][0])
    assert losses[1] - losses[0] == pytest.approx(100, rel=1e-4)


def test_an_average_moves_as_often_as_the_weights(graphs):
    averages = []
    for batch_size, accumulate in ((4, 3), (12, None)):
        model = NoisyStudentModel(
            linear_model(), EMATeacher(0.5), FixedThreshold(0.0)
        )
        optimizer = keras.optimizers.SGD(
            0.5, gradient_accumulation_steps=accumulate
        )
        model.compile(optimizer, "sparse_categorical_crossentropy")
        data = mixed(images=IMAGES[:36], batch_size=batch_size)
        model.fit(data, epochs=3, verbose=0)
        assert int(ops.convert_to_numpy(model.teacher.updates)) == 3
        averages.append(model.teacher.model.get_weights()[0])
    np.testing.assert_allclose(*averages, rtol=1e-4, atol=1e-6)


def test_export_is_that_of_the_student(tmp_path):
    model = compiled(linear_model(), EMATeacher())
    calls = []
    model.student.export = lambda *args, **kwargs: calls.append((args, kwargs))
    model.export(tmp_path / "model", format="onnx")
    assert calls == [((tmp_path / "model",), {"format": "onnx"})]


def test_export_is_that_of_the_debiased_student(tmp_path):
    student = keras.Sequential(
        [
            keras.Input((2, 3, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model = compiled(student, EMATeacher(), blank_value=0.5)
    student = model.debiased_student()
    exported = []
    student.export = lambda *args, **kwargs: exported.append(args)
    model.debiased_student = lambda: student
    model.export(tmp_path / "model")
    assert exported == [(tmp_path / "model",)]


@pytest.mark.parametrize(
    "policy",
    [
        lambda: DistributionAlignment(FixedThreshold(0.7), momentum=0.5),
        lambda: FreeMatchPolicy(),
    ],
)
def test_weights_are_loaded_before_a_fit(policy, tmp_path):
    trained, new = (
        compiled(linear_model(), linear_model(KERNELS[1]), policy())
        for _ in range(2)
    )
    trained.fit(mixed(), verbose=0)
    path = tmp_path / "model.weights.h5"
    trained.save_weights(path)
    new.load_weights(path)
    assert len(new.policy.variables) > 0
    for ours, theirs in zip(
        new.policy.variables, trained.policy.variables, strict=True
    ):
        np.testing.assert_array_equal(
            *map(ops.convert_to_numpy, (ours, theirs))
        )


def test_weights_are_loaded_into_a_subclassed_student(tmp_path):
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3, activation="softmax")

        def build(self, input_shape):
            self.dense.build((None, 6))

        def call(self, images):
            return self.dense(ops.reshape(images, (-1, 6)))

    models = []
    for _ in range(2):
        student = Subclassed()
        student.build((None, 2, 3, 1))
        models.append(compiled(student, policy=FreeMatchPolicy()))
    trained, new = models
    trained.fit(mixed(), verbose=0)
    trained.save_weights(tmp_path / "model.weights.h5")
    new.load_weights(tmp_path / "model.weights.h5")
    for ours, theirs in zip(new.weights, trained.weights, strict=True):
        np.testing.assert_array_equal(
            *map(ops.convert_to_numpy, (ours, theirs))
        )


def test_weights_are_not_loaded_before_the_loss_is_known(tmp_path):
    path = tmp_path / "model.weights.h5"
    policy = DistributionAlignment(FixedThreshold(0.7))
    compiled(linear_model(), policy=policy).save_weights(path)
    with pytest.raises(ValueError, match=r"`compile\(\)` before"):
        NoisyStudentModel(
            linear_model(), policy=DistributionAlignment(FixedThreshold(0.7))
        ).load_weights(path)
    NoisyStudentModel(linear_model()).load_weights(path)


def test_accumulated_gradients_are_those_of_one_larger_batch(graphs):
    weights = []
    for batch_size, accumulate in ((4, 3), (12, None)):
        model = NoisyStudentModel(
            linear_model(), linear_model(KERNELS[1]), FixedThreshold(0.7)
        )
        optimizer = keras.optimizers.SGD(
            0.5, gradient_accumulation_steps=accumulate
        )
        model.compile(optimizer, "sparse_categorical_crossentropy")
        data = mixed(images=IMAGES[:36], batch_size=batch_size)
        model.fit(data, verbose=0)
        weights.append(model.student.get_weights()[0])
    np.testing.assert_allclose(*weights, rtol=1e-4, atol=1e-6)


class Killed(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_backup_and_restore_goes_on_where_it_was(tmp_path, graphs):
    weights = []
    for kills in ([], [Killed()]):
        backup = keras.callbacks.BackupAndRestore(tmp_path / str(len(kills)))
        for callbacks in ([*kills, backup], [backup])[: 1 + len(kills)]:
            model = compiled(
                linear_model(),
                EMATeacher(0.6),
                DistributionAlignment(FixedThreshold(0.7), momentum=0.5),
            )
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(mixed(), epochs=4, callbacks=callbacks, verbose=0)
        weights.append([ops.convert_to_numpy(w) for w in model.weights])
    for whole, resumed in zip(*weights, strict=True):
        np.testing.assert_allclose(whole, resumed, rtol=1e-5)


def test_a_callback_list_is_taken_as_by_keras():
    model = compiled(linear_model())
    callbacks = keras.callbacks.CallbackList(
        [keras.callbacks.TerminateOnNaN()], add_history=True, model=model
    )
    history = model.fit(mixed(), callbacks=callbacks, verbose=0)
    assert "loss" in history.history


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy, graphs):
    keras.config.set_dtype_policy(policy)
    student = linear_model()
    keras.config.set_dtype_policy("float32")
    model = compiled(student, EMATeacher(0.6), FixedThreshold(0.7))
    logs = model.fit(mixed(), verbose=0).history
    _, expected = train_by_hand(KERNELS[0], by_average, 0.7, 1)
    assert logs["supervised_loss"][0] == pytest.approx(
        expected["supervised_loss"], rel=0.02
    )
    assert student.weights[0].dtype == "float32"


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "arguments", [{"jit_compile": True}, {"steps_per_execution": 2}]
)
def test_compile_arguments_change_nothing(arguments, graphs):
    model = NoisyStudentModel(
        linear_model(), EMATeacher(0.6), FixedThreshold(0.7)
    )
    model.compile(
        keras.optimizers.SGD(0.5),
        "sparse_categorical_crossentropy",
        **arguments,
    )
    model.fit(mixed(), verbose=0)
    expected, _ = train_by_hand(KERNELS[0], by_average, 0.7, 1)
    np.testing.assert_allclose(
        model.student.get_weights()[0], expected, rtol=1e-4, atol=1e-5
    )


class SquaredError(NoisyStudentModel):
    """A method of one's own: every image counts, by the squared error."""

    def teach(self, images):
        return super().teach(images - 1)

    def add_noise(self, images):
        return images * 2

    def unlabeled_loss(self, targets, predictions, weights):
        return ops.mean(ops.square(targets - predictions), axis=-1)


def test_every_hook_can_be_overridden(graphs):
    teacher = linear_model(KERNELS[1])
    model = SquaredError(linear_model(), teacher, FixedThreshold(0, soft=True))
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    logs = model.fit(mixed(images=IMAGES[:20]), verbose=0).history
    targets = softmax((IMAGES[12:20] - 1).reshape(8, 6) @ KERNELS[1])
    predictions = softmax((IMAGES[12:20] * 2).reshape(8, 6) @ KERNELS[0])
    expected = np.square(targets - predictions).mean()
    assert logs["unlabeled_loss"][0] == pytest.approx(expected, rel=1e-4)


class Debiased(NoisyStudentModel):
    """DebiasPL: the policy's margin is on the student's side."""

    def unlabeled_loss(self, targets, predictions, weights):
        margin = self.policy.margin()
        return super().unlabeled_loss(targets, predictions + margin, weights)


def test_debiased_labels_ask_a_margin_of_the_student():
    losses = []
    for method in (NoisyStudentModel, Debiased):
        policy = DebiasedPolicy(FixedThreshold(0.0), momentum=0.0)
        teacher = linear_model(KERNELS[1], activation=None)
        model = method(linear_model(activation=None), teacher, policy)
        model.compile(
            keras.optimizers.SGD(0.0),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        logs = model.fit(mixed(images=IMAGES[:20]), verbose=0).history
        losses.append(logs["unlabeled_loss"][0])
    taught = softmax(IMAGES[12:20].reshape(8, 6) @ KERNELS[1])
    scores = IMAGES[12:20].reshape(8, 6) @ KERNELS[0]
    # Three steps see the same eight images; from the second on debiased.
    margin = 0.4 * np.log(taught.mean(axis=0))
    expected = []
    for prior in (np.zeros(3), margin, margin):
        labels = (np.log(taught) - prior).argmax(axis=1)
        predicted = softmax(scores + margin)
        expected.append(-np.log(predicted[np.arange(8), labels]).mean())
    assert losses[1] == pytest.approx(np.mean(expected), rel=1e-3)
    assert losses[0] != pytest.approx(losses[1], rel=1e-2)


class Subclassed(keras.Model):
    """A student whose output shape Keras does not know."""

    def __init__(self):
        super().__init__()
        self.inner = linear_model()

    def build(self, input_shape):
        self.built = True

    def call(self, inputs):
        return self.inner(inputs)


@pytest.mark.parametrize("make_student", [linear_model, Subclassed])
def test_policy_state_moves_with_every_step(make_student, graphs):
    student = make_student()
    student.build((None, 2, 3, 1))
    policy = DistributionAlignment(FixedThreshold(0.7), momentum=0.5)
    model = compiled(student, linear_model(KERNELS[1]), policy)
    model.fit(mixed(), verbose=0)
    mean = np.full(3, 1 / 3)
    for step in range(4):
        rows = 12 + (8 * step + np.arange(8)) % 28
        taught = softmax(IMAGES[rows].reshape(8, 6) @ KERNELS[1])
        mean = 0.5 * mean + 0.5 * taught.mean(axis=0)
    np.testing.assert_allclose(
        ops.convert_to_numpy(policy.mean), mean, rtol=1e-4
    )


@pytest.mark.parametrize("teacher", [TEACHERS[name][0] for name in TEACHERS])
def test_saved_model_goes_on_where_it_was(teacher, tmp_path, graphs):
    model = compiled(
        linear_model(),
        teacher(),
        DistributionAlignment(FixedThreshold(0.7), momentum=0.5),
        noise=keras.layers.GaussianNoise(0.0),
        unlabeled_weight=0.7,
    )
    model.fit(mixed(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.unlabeled_weight == 0.7
    for each in (model, loaded):
        each.fit(mixed(), verbose=0)
    for old, new in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(old), ops.convert_to_numpy(new), rtol=1e-5
        )


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow",
    reason="there, an epoch goes on where the last one ended",
)
def test_a_part_of_the_batches_in_their_order_is_refused():
    model = compiled(linear_model())
    data = mix_labeled_unlabeled(
        (IMAGES[:12], LABELS), IMAGES[12:], batch_size=4, shuffle=False
    )
    with pytest.raises(ValueError, match=r"would never come.*Received: steps"):
        model.fit(data, epochs=2, steps_per_epoch=2, verbose=0)
