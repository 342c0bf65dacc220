import math
import time

import keras

from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.sources import labeled_arrays
from keras_fewlabels.foundation import (
    check_choice,
    check_class_names,
    check_int,
    check_number,
    check_type,
    has_accelerator,
)
from keras_fewlabels.loops.choose_settings import (
    choose_settings,
    chosen_pretrained,
    unused_settings,
)
from keras_fewlabels.loops.class_balance import check_balanced
from keras_fewlabels.loops.noisy_student.build_student import (
    builder_of,
    classifier_of,
    layers_know_labels,
)
from keras_fewlabels.loops.noisy_student.comes_trained import comes_trained
from keras_fewlabels.loops.noisy_student.outcome import Outcome
from keras_fewlabels.loops.noisy_student.phase_callbacks import (
    callbacks_of_phases,
)
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.phases import plan_phases
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.run import NoisyStudentRun
from keras_fewlabels.loops.noisy_student.task import inspect_task
from keras_fewlabels.loops.noisy_student.training.finished_phases import (
    FinishedPhases,
    run_identity,
)
from keras_fewlabels.loops.noisy_student.training.run_clock import RunClock
from keras_fewlabels.loops.noisy_student.training.run_progress import (
    RunProgress,
)
from keras_fewlabels.loops.recommend import recommended_for
from keras_fewlabels.loops.report import FitReport
from keras_fewlabels.loops.report.run_facts import run_facts
from keras_fewlabels.models.student.fit_checks import check_noise
from keras_fewlabels.policies.policy import check_policy

# In seconds, unless the user has another limit.
_LIMIT_OF_TRAINED = 600
_LIMIT_ON_CPU = 3600


def fit_noisy_student(
    build_student,
    labeled,
    unlabeled,
    validation_data=None,
    generations=1,
    time_limit=None,
    *,
    test_data=None,
    settings=None,
    policy=None,
    noise=None,
    weak_noise=None,
    baseline=False,
    waterfall=False,
    truth=None,
    class_names=None,
    findings=None,
    value_range=None,
    callbacks=None,
    backup_dir=None,
    on_interrupt="raise",
    seed=0,
    verbose="auto",
):
    """Trains a classifier on few labels and many unlabelled images.

    The function first checks that model, images and labels go together.

    **A model that comes trained**, such as a backbone with weights of
    ImageNet, goes through these phases, as far as there is time:

    1. A linear probe: the features of all images are computed once, and a
       logistic regression is fitted to those of the labelled ones.
    2. Self-training: the labels spread to the nearest neighbours among the
       features, and a head learns them too. The probe stays if it is better
       in a cross-validation on the labels.
    3. Fine-tuning: the upper three quarters of the layers learn the labels
       under noise, while batch normalization keeps its statistics. A head is
       then fitted to the new features, as before.
    4. Rounds of fine-tuning: these layers learn the labels and the surer half
       of the pseudo-labels of each class, which each round makes anew.

    The logits are divided by a temperature, found in the cross-validation, to
    bring confidences near to the accuracy. After fine-tuning, only images of
    `validation_data` could tell another one.

    **A new model** is trained by the loop of Noisy Student. The function
    trains a model on the labels, until the validation loss has settled, and
    for each generation a student on labelled and unlabelled images under
    noise. While the architecture stays the same, the student goes on from the
    model before, and the average of its own weights is the teacher. Where
    `build_student` changes the architecture, a new student learns from the
    model before, which is frozen. Every phase ends with the average of the
    weights over its last steps, or with the average of its best epoch on the
    validation images, if that was better by more than a standard error.

    Either may have **a sigmoid for each of several labels**: end it with one,
    or compile it with a binary cross-entropy. Every label of an image then has
    a pseudo-label of its own, and models are compared by their mean average
    precision. A head on frozen features is then a logistic regression for
    each label, and heads are compared by the likelihood of all labels.

    With the setting `low_resolution` all of these phases train on smaller
    images, which is faster. A last phase trains the upper layers on the
    labelled images as they are (FixRes). The model must take images of any
    size.

    **More labels** make the next run better: `evaluation.next_to_label`
    proposes images, and `folders.with_labels` has them among the labelled
    ones. Pass the same backbone again, and all phases learn from all labels.
    Or pass the model that the run before returned, to go on from its layers.
    If these were fine-tuned, they have learned the labels, and a
    cross-validation on labels would be too good. It is then left out, and with
    it the temperature and the search for foreign images. Pass
    `validation_data` to measure and calibrate such a run.

    Each part is available by itself: `models.NoisyStudentModel`, the policies
    and layers, `loops.recalibrate_batch_norm`, `loops.recommend`. With a
    distribution strategy, call `fit_noisy_student` in its scope.

    References:
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252), Noisy Student.
          There each student starts anew, and a frozen teacher labels clean
          images once per generation. `settings={"teacher": "frozen"}` does
          the same, but makes the labels again in each step.
        - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), FixRes.

    Args:
        build_student: Function that returns a new, built Keras classifier of
            images, with weights of its own each time. If it has a parameter
            without a default, it gets the generation, an int from 0, and may
            return larger ones. Or a built model, which is copied with its
            weights, also the one that an earlier call returned. Or a backbone
            without a head, or the name of a network of `keras.applications`,
            of which `models.classifier` makes a classifier. A model that you
            compiled keeps its optimizer and loss; otherwise the loop chooses
            them. The model is called and copied, so all preprocessing must be
            in its layers.
        labeled: Pair of arrays `(images, labels)` of shapes
            `(num_images, height, width, channels)` and `(num_images,)` with
            class numbers or `(num_images, num_classes)` with one-hot rows, or
            rows of 0 and 1 if several may be true; or a `tf.data.Dataset` or
            `PyDataset` of such pairs, read into memory.
        unlabeled: Array of images, or `data.ImageFiles` or a dataset, which
            are streamed.
        validation_data: Optional pair or dataset as `labeled`. By default a
            part of the labelled images is set aside.
        generations: Int, how many students are trained after the supervised
            phase. A model that comes trained has `settings.rounds` rounds of
            pseudo-labels for each of them.
        time_limit: Optional number, the seconds that the call may take. The
            lengths of the phases follow from it, and the report names what
            was left out. A run always ends with a model: without time for
            fine-tuning it is a head on frozen features, and each phase of a
            new model has at least one step. Defaults to 600 for a model that
            comes trained, to 3,600 for a new model on a CPU, and to no limit
            on an accelerator. `float("inf")` is no limit.
        test_data: Optional pair or dataset as `labeled`; its images may be
            `data.ImageFiles`. Only ever measured.
        settings: Optional `Settings`, or dict of some settings. The others
            are those that `recommend` returns.
        policy: Optional policy, which takes the place of the settings
            `threshold` and `temperature`.
        noise: Optional layer that augments the images of the student. It
            takes the place of the settings `ops`, `num_ops`, `magnitude`,
            `table` and `cutout`.
        weak_noise: Optional layer that augments the images of the teacher.
            With `noise` it takes the place of the settings `flip` and
            `fill_value`.
        baseline: Boolean. If `True`, a model is also trained on the labels
            alone, under the same noise, in as many steps. The report says
            whether the unlabelled images helped. The baseline is returned if
            it is better beyond chance on validation images. For a model that
            was trained before, the report also has a linear classifier on
            its features, the linear probe, and says so if that is better than
            the model that is returned.
        waterfall: Boolean. If `True`, models are also trained without parts
            of the method, in as many steps, to see what each part brings. A
            model that comes trained has no waterfall: its phases show that.
        truth: Optional int array `(num_unlabeled,)`, the true classes of the
            unlabelled images, or rows of several labels, only to report the
            accuracy of pseudo-labels.
        class_names: Optional sequence of strings for the report.
        findings: Optional `findings` of `data.load_image_folders`, for the
            report.
        value_range: Optional pair of floats, the values of black and white.
            By default found out from the images.
        callbacks: Optional list of Keras callbacks, which see each phase as a
            fit of its own, with epochs counted on; or a function that gets
            the name of a phase and returns such a list, for callbacks like
            `CSVLogger` that want a file for each. It is called for all phases
            before the first. `ModelCheckpoint` saves the average of the
            weights, with which a phase ends, as a model like the student.
            Callbacks that set the learning rate need a model that is compiled
            with a number as its rate.
        backup_dir: Optional path. A run that is killed and called again with
            the same arguments goes on where it was, and ends with the same
            weights. Delete the folder when the run is complete.
        on_interrupt: `"raise"`, or `"return"`, with which Ctrl-C ends the
            call with the model of the last phase that was finished, and the
            report names what was left out. Before the first one it raises.
        seed: Int that fixes everything that is random. Keras's global seed
            is set to it.
        verbose: `"auto"` or 1 for one line with the phase, the share of
            pseudo-labels that count, and the time left for all phases, which
            changes in place in a terminal or notebook; 2 for a line per
            epoch; 0 for none.

    Returns:
        The trained model, as `build_student` made it, compiled for
        `evaluate()`; and a `FitReport`, which labels the unlabelled images
        when it is saved.

    Raises:
        ValueError: If model, images, labels and settings do not go together,
            a setting is passed whose place a layer takes, `build_student`
            returns the same weights twice, or a callback cannot work in a run
            of phases; before anything is trained.

    Example:

    >>> def build_student():
    ...     return keras.Sequential([keras.Input((8, 8, 1)),
    ...         keras.layers.Flatten(), keras.layers.Dense(2)])
    >>> images = np.random.default_rng(0).random((300, 8, 8, 1))
    >>> labels = np.arange(300) % 2
    >>> images[labels == 1, :4] /= 2  # the upper half is darker
    >>> model, report = keras_fewlabels.loops.fit_noisy_student(
    ...     build_student,
    ...     labeled=(images[:20], labels[:20]),
    ...     unlabeled=images[20:],
    ...     settings={"supervised_steps": 50, "student_steps": 50},
    ...     verbose=0,
    ... )
    >>> [phase["name"] for phase in report.to_dict()["phases"]]
    ['supervised', 'noisy student']
    """
    started = time.perf_counter()
    layers = {"policy": policy, "noise": noise, "weak_noise": weak_noise}
    _check_arguments(
        generations, time_limit, seed, layers, findings, on_interrupt
    )
    keras.utils.set_random_seed(seed)
    labeled = labeled_arrays(labeled, "labeled")
    of_user = classifier_of(build_student, labeled, class_names, value_range)
    build = builder_of(of_user)
    building = time.perf_counter()
    model = build(0)
    building = time.perf_counter() - building
    task = inspect_task(
        model, labeled, unlabeled, value_range, layers_know_labels(model)
    )
    validation = task.check(validation_data, "validation_data")
    test = task.check(test_data, "test_data")
    check_class_names(class_names, task.num_classes)
    settings = _chosen(settings, task, model, validation is not None, layers)
    split = settings.validation_split
    data = divide(task, validation, test, split, seed, truth)
    recipe = Recipe(task, settings, layers)
    recipe.check(model)
    phases = plan_phases(
        settings,
        generations,
        counts=(len(data.labeled[0]), len(task.unlabeled)),
        has_validation=data.validation is not None,
        baseline=baseline,
        linear_probe=baseline and comes_trained(task, model)[0],
        waterfall=waterfall,
    )

    # Run. All arguments are checked before a backup is written.
    callbacks = callbacks_of_phases(callbacks, phases, model)
    clock = RunClock(_seconds(time_limit, settings), started, building)
    progress = RunProgress(phases, settings, verbose, clock)
    finished = FinishedPhases(
        backup_dir, lambda: run_identity(model, recipe, data)
    )
    # A function must show that it returns a new model each time.
    first = model if isinstance(of_user, keras.Model) else None
    run = NoisyStudentRun(
        build, recipe, data, callbacks, finished, progress, clock, first
    )
    run.run(phases, returns_early=on_interrupt == "return")

    outcome = Outcome(run)
    details = {
        **outcome.results(phases),
        **run_facts(task, run.last_data, settings, class_names),
        "findings": findings and findings.to_dict(),
    }
    return outcome.compiled_model(), FitReport(details, outcome.files())


def _chosen(settings, task, model, has_validation, layers):
    """Returns the `Settings` of the user, completed by recommended ones."""
    recommended = recommended_for(
        task, model, not has_validation, chosen_pretrained(settings, layers)
    )
    unused = unused_settings(model, recommended.pretrained, **layers)
    settings = choose_settings(settings, recommended, unused)
    check_balanced(settings.balanced, task.scores)
    return settings


def _seconds(time_limit, settings):
    """Returns the time limit of a run in seconds, or `None`."""
    if time_limit is None and settings.pretrained:
        return _LIMIT_OF_TRAINED
    if time_limit is None and not has_accelerator():
        return _LIMIT_ON_CPU
    return None if time_limit == math.inf else time_limit


def _check_arguments(
    generations, time_limit, seed, layers, findings, on_interrupt
):
    check_int(generations, "generations")
    check_number(time_limit, "time_limit", "(0, inf]", optional=True)
    check_int(seed, "seed", 0)
    check_noise(noise=layers["noise"], weak_noise=layers["weak_noise"])
    if layers["policy"] is not None:
        check_policy(layers["policy"])
    check_type(
        findings,
        "findings",
        FolderFindings,
        "those of `data.load_image_folders`",
        optional=True,
    )
    check_choice(on_interrupt, "on_interrupt", ("raise", "return"))
