import keras
import numpy as np
import pytest

from keras_fewlabels.callbacks import ExactBackup
from keras_fewlabels.callbacks.backup.seed_epochs import SeedEpochs
from keras_fewlabels.data import mix_labeled_unlabeled
from keras_fewlabels.data.batches.mixed_batches import LabeledBatches
from keras_fewlabels.layers import StochasticDepth
from keras_fewlabels.models import EMATeacher, NoisyStudentModel
from keras_fewlabels.policies import DistributionAlignment, FixedThreshold

pytestmark = pytest.mark.usefixtures("eager")

RNG = np.random.default_rng(0)
IMAGES = RNG.random((60, 6, 6, 1), "float32")
LABELS = np.arange(60) % 3
LABELED = IMAGES[:20], LABELS[:20]


def network():
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Dropout(0.25)(keras.layers.Flatten()(inputs))
    x = StochasticDepth(0.25)([x, keras.layers.Dense(36)(x)])
    outputs = keras.layers.Dense(3, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def compiled(model):
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy"
    )
    return model


class Images(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        part = slice(4 * index, 4 * index + 4)
        return LABELED[0][part], LABELED[1][part]


def on_arrays(callbacks, **options):
    model = compiled(network())
    options = {"epochs": 4, "batch_size": 4, "verbose": 0, **options}
    history = model.fit(*LABELED, callbacks=callbacks, **options)
    return model, history


def on_a_py_dataset(callbacks):
    model = compiled(network())
    return model, model.fit(Images(), epochs=4, callbacks=callbacks, verbose=0)


def on_mixed_images(callbacks, stream=False):
    model = NoisyStudentModel(
        network(),
        EMATeacher(0.9),
        DistributionAlignment(FixedThreshold(0.2), momentum=0.5),
        noise=keras.layers.GaussianNoise(0.1),
    )
    unlabeled = IMAGES[20:]
    if stream:
        import tensorflow as tf

        unlabeled = tf.data.Dataset.from_tensor_slices(unlabeled)
    data = mix_labeled_unlabeled(LABELED, unlabeled, 4, unlabeled_ratio=2)
    compiled(model)
    return model, model.fit(data, epochs=4, callbacks=callbacks, verbose=0)


def on_a_mixed_dataset(callbacks):
    return on_mixed_images(callbacks, stream=True)


class Fails(keras.callbacks.Callback):
    """Ends a fit in the middle of an epoch, as if it were killed."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_near = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_near and batch == 2:
            raise KeyboardInterrupt


def state(model):
    variables = [*model.weights, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def equal(model, other):
    pairs = zip(state(model), state(other), strict=True)
    return all(np.array_equal(*pair) for pair in pairs)


def whole_and_killed(fit, backup):
    """Returns model and history of a whole fit, and of a killed one."""
    # A process that is started again begins with the same seed.
    keras.utils.set_random_seed(0)
    whole = fit(backup("whole"))
    for epoch in (0, 2):
        keras.utils.set_random_seed(0)
        with pytest.raises(KeyboardInterrupt):
            fit([Fails(epoch), *backup("killed")])
    keras.utils.set_random_seed(0)
    return whole, fit(backup("killed"))


@pytest.mark.parametrize(
    "fit",
    [
        on_arrays,
        on_a_py_dataset,
        on_mixed_images,
        pytest.param(on_a_mixed_dataset, marks=pytest.mark.tensorflow),
    ],
)
def test_a_killed_fit_ends_as_one_that_was_not(fit, tmp_path, request):
    if fit in (on_arrays, on_mixed_images):
        # A model of Keras and one of this package train in a graph.
        request.getfixturevalue("graphs")
    whole, killed = whole_and_killed(
        fit, lambda name: [ExactBackup(tmp_path / name)]
    )
    assert equal(whole[0], killed[0])
    # The history has all epochs, too.
    assert killed[1].epoch == whole[1].epoch == [0, 1, 2, 3]
    assert killed[1].history == whole[1].history
    # No file is left, and the next fit begins with epoch 0.
    assert list(tmp_path.iterdir()) == []
    assert killed[0]._initial_epoch is None


class HalveWeights(keras.callbacks.Callback):
    """Changes what is backed up, at the end of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([w / 2 for w in self.model.get_weights()])


def test_what_callbacks_after_it_change_is_backed_up(tmp_path):
    def backup(name):
        return [ExactBackup(tmp_path / name), HalveWeights()]

    (whole, _), (model, _) = whole_and_killed(on_arrays, backup)
    assert equal(model, whole)


@pytest.mark.parametrize("seeds", [[], [SeedEpochs()]], ids=["no", "seeds"])
def test_the_callback_of_keras_needs_seeds(seeds, tmp_path):
    whole, killed = whole_and_killed(
        on_arrays,
        lambda name: [
            keras.callbacks.BackupAndRestore(tmp_path / name),
            *seeds,
        ],
    )
    # The history lacks the epochs before.
    assert killed[1].epoch == [2, 3]
    assert equal(whole[0], killed[0]) is bool(seeds)
    assert (killed[0]._initial_epoch is None) is bool(seeds)


def test_another_fit_with_the_same_callback_begins_with_epoch_0(tmp_path):
    backup = ExactBackup(tmp_path / "backup")
    model, first = on_arrays([backup], epochs=2)
    second = model.fit(*LABELED, epochs=3, callbacks=[backup], verbose=0)
    assert first.epoch == [0, 1] and second.epoch == [0, 1, 2]


class Stops(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == 1


def test_a_fit_that_was_stopped_stays_stopped(tmp_path):
    whole, again = (
        on_arrays([Stops(), ExactBackup(tmp_path, delete_checkpoint=False)])
        for _ in range(2)
    )
    assert whole[1].epoch == again[1].epoch == [0, 1]
    assert equal(whole[0], again[0])


def test_the_seed_is_restored_if_none_was_set(tmp_path):
    kept = {"backup_dir": tmp_path, "delete_checkpoint": False}
    first, second = (ExactBackup(**kept) for _ in range(2))
    assert first._seeds.seed != second._seeds.seed
    on_arrays([first], epochs=1)
    on_arrays([second], epochs=1)
    assert second._seeds.seed == first._seeds.seed


def test_another_seed_is_refused(tmp_path):
    first = ExactBackup(tmp_path, delete_checkpoint=False, seed=3)
    on_arrays([first], epochs=1)
    with pytest.raises(ValueError, match=r"another seed.*seed=4.*backed up: 3"):
        on_arrays([ExactBackup(tmp_path, seed=4)], epochs=2)


def test_a_dataset_passed_as_batches(tmp_path):
    def fit(callbacks):
        model = compiled(network())
        model.fit(
            batches.as_dataset(), epochs=4, callbacks=callbacks, verbose=0
        )
        return model, None

    batches = LabeledBatches(*LABELED, 4, 5, seed=0)
    whole, killed = whole_and_killed(
        fit, lambda name: [ExactBackup(tmp_path / name, batches=batches)]
    )
    assert equal(whole[0], killed[0])


def test_the_global_generators_get_their_states_back(tmp_path):
    numbers = []
    for epochs in (1, 2):
        np.random.seed(0)  # noqa: NPY002
        on_arrays([ExactBackup(tmp_path)], epochs=epochs, shuffle=False)
        numbers.append(np.random.random())  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    assert numbers == [np.random.random()] * 2  # noqa: NPY002


# On the other backends Keras builds the model before.
@pytest.mark.tensorflow
def test_a_model_that_is_not_built_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"must be built before `fit\(\)`"):
        compiled(model).fit(*LABELED, callbacks=[ExactBackup(tmp_path)])


def test_a_noisy_student_sets_the_dataset(tmp_path):
    # The dataset of the fit before is forgotten.
    seeds = SeedEpochs()
    first, second = (LabeledBatches(*LABELED, 4, 5) for _ in range(2))
    for dataset in (first, second):
        assert seeds.set_dataset(dataset)
    seeds.set_model(network())
    seeds.on_epoch_begin(3)
    assert (first._epoch_number, second._epoch_number) == (None, 3)
    assert not seeds.set_dataset(LABELED)


@pytest.mark.tensorflow
@pytest.mark.parametrize("steps", [2, 6])
def test_a_part_of_the_batches_is_refused_before_training(steps, tmp_path):
    model = compiled(
        NoisyStudentModel(network(), noise=keras.layers.Identity())
    )
    data = mix_labeled_unlabeled(LABELED, IMAGES[20:], 4, unlabeled_ratio=2)
    assert len(data) == 5
    before = model.student.get_weights()
    with pytest.raises(ValueError, match=f"Received: {steps} steps per epoch"):
        model.fit(
            data,
            epochs=2,
            steps_per_epoch=steps,
            callbacks=[ExactBackup(tmp_path)],
        )
    for ours, theirs in zip(model.student.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    backup = ExactBackup(tmp_path / "file" / "backup")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="`backup_dir` must be a fol"):
        on_arrays([backup])
