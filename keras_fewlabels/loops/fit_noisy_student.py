import dataclasses
import time

import keras

from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.sources.labeled_arrays import labeled_arrays
from keras_fewlabels.foundation.arguments import check_int
from keras_fewlabels.foundation.text_table import check_class_names
from keras_fewlabels.loops.noisy_student.build_student import builder_of
from keras_fewlabels.loops.noisy_student.finished_phases import FinishedPhases
from keras_fewlabels.loops.noisy_student.generations import Generations
from keras_fewlabels.loops.noisy_student.outcome import Outcome
from keras_fewlabels.loops.noisy_student.phase_data import divide
from keras_fewlabels.loops.noisy_student.recipe import Recipe
from keras_fewlabels.loops.noisy_student.run_identity import run_identity
from keras_fewlabels.loops.noisy_student.run_progress import RunProgress
from keras_fewlabels.loops.noisy_student.settings import with_defaults
from keras_fewlabels.loops.noisy_student.task import look_at
from keras_fewlabels.loops.noisy_student.trainer import Trainer
from keras_fewlabels.loops.recommend import recommended_for
from keras_fewlabels.loops.report import FitReport
from keras_fewlabels.loops.report.run_facts import run_facts
from keras_fewlabels.models.student.fit_checks import check_noise
from keras_fewlabels.policies.policy import check_policy


def fit_noisy_student(
    build_student,
    labeled,
    unlabeled,
    validation_data=None,
    generations=1,
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
    seed=0,
    verbose="auto",
):
    """Trains a classifier on few labels and many unlabelled images.

    Looks at model and images, checks them against each other, and trains: a
    supervised phase on the labels, until the validation loss has settled;
    then, for each generation, a student on labelled and unlabelled images
    under noise. While the architecture stays the same, the student goes on
    from the model before and its own average teaches it; where
    `build_student` changes it, a new student learns from the model before,
    which is frozen. Every phase ends with the average of the weights over its
    last steps, or with that of its best epoch on the validation images, if
    that was better by more than a standard error.

    With the setting `low_resolution` all of that sees smaller images, which is
    faster, and a last phase trains the upper layers on the labelled images as
    they are (FixRes). Its model must take images of any size.

    Each part is available by itself: `models.NoisyStudentModel`, the policies
    and layers, `loops.recalibrate_batch_norm`, `loops.recommend`. Call it in
    the scope of your distribution strategy, if you have one.

    References:
        - [Xie et al., 2019](https://arxiv.org/abs/1911.04252), Noisy Student.
          They start each student anew and label clean images once per
          generation; here that is `settings={"teacher": "frozen"}`, with the
          same labels made anew in each step.
        - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), FixRes.

    Args:
        build_student: Function that returns a new, built Keras classifier of
            images. If it has a parameter without a default, it gets the
            generation, an int from 0, and may return larger ones. Or a built
            model, which is copied with its weights. A compiled model keeps
            its optimizer and loss; otherwise the loop chooses them.
        labeled: Pair of arrays `(images, labels)` of shapes
            `(num_images, height, width, channels)` and `(num_images,)` with
            class numbers or `(num_images, num_classes)`; or a
            `tf.data.Dataset` or `PyDataset` of such pairs, read into memory.
        unlabeled: Array of images, or `data.ImageFiles` or a dataset, which
            are streamed.
        validation_data: Optional pair or dataset as `labeled`. By default a
            part of the labelled images is set aside.
        generations: Int, how many students are trained after the supervised
            phase.
        test_data: Optional pair or dataset as `labeled`; its images may be
            `data.ImageFiles`. Only ever measured.
        settings: Optional dict, some or all of what `recommend` returns.
        policy: Optional policy layer, instead of that of the settings.
        noise: Optional layer for the images in training, likewise.
        weak_noise: Optional layer for the images of the teacher, likewise.
        baseline: Boolean. If `True`, a model is also trained on the labels
            alone, under the same noise, in as many steps. The report says
            whether the unlabelled images helped; if that model is better
            beyond chance on validation images, it is the one returned. For
            a model that was trained before, the report also has a linear
            classifier on its features, the linear probe.
        waterfall: Boolean. If `True`, models are also trained without parts
            of the method, in as many steps, to see what each part brings.
        truth: Optional int array `(num_unlabeled,)`, the true classes of the
            unlabelled images, only to report how right pseudo-labels are.
        class_names: Optional sequence of strings for the report.
        findings: Optional `data.FolderFindings` for the report: what
            `data.load_image_folders` found in the files.
        value_range: Optional pair of floats, the values of black and white.
            By default found out from the images.
        callbacks: Optional list of Keras callbacks, which see each phase as a
            fit of its own, with epochs counted on; or a function that gets
            the name of a phase and returns such a list, for callbacks like
            `CSVLogger` that want a file for each.
        backup_dir: Optional path. A run that is killed and called again with
            the same arguments goes on where it was, and ends with the same
            weights. Phases that ended stay there, so delete it when you are
            done.
        seed: Int that fixes everything that is random. Keras's global seed
            is set to it.
        verbose: `"auto"` or 1 for one line that tells the phase, the share of
            pseudo-labels that count, and the time left for all phases; it
            changes in place in a terminal or notebook. 2 for a line per
            epoch, 0 for none.

    Returns:
        The trained model, as `build_student` made it, compiled for
        `evaluate()`; and a `FitReport`.

    Raises:
        ValueError: If model, images, labels and settings do not go together,
            before anything is trained.

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
    _check_arguments(generations, seed, layers)
    build = builder_of(build_student)
    keras.utils.set_random_seed(seed)
    model = build(0)
    labeled = labeled_arrays(labeled, "labeled")
    task = look_at(model, labeled, unlabeled, value_range)
    validation = task.check(validation_data, "validation_data")
    check_class_names(class_names, task.num_classes)
    _check_findings(findings)
    settings = with_defaults(
        settings, recommended_for(task, model, validation is None)
    )
    data = divide(
        task,
        validation,
        task.check(test_data, "test_data"),
        settings["validation_share"],
        seed,
        truth,
    )
    recipe = Recipe(task, settings, layers)
    trainer = Trainer(recipe, data, None, callbacks, None)
    # Before anything is written.
    trainer.check(model)
    plan = Generations(build, trainer).plan(generations, baseline, waterfall)
    trainer = dataclasses.replace(
        trainer,
        phases=FinishedPhases(
            backup_dir, run_identity(model, task, data, settings, layers)
        ),
        progress=RunProgress(plan, verbose),
    )
    fit = Generations(build, trainer)
    fit.run(generations)
    trained = _trained(fit, baseline, waterfall)
    outcome = Outcome(fit, fit.trainer.data, task)
    report = FitReport(
        {
            **trained,
            **outcome.details(),
            **run_facts(task, data, settings, class_names),
            "findings": findings and findings.to_dict(),
            "seconds": time.perf_counter() - started,
        },
        outcome.files(),
    )
    return _compiled(outcome.model, task, labeled[1]), report


def _check_arguments(generations, seed, layers):
    check_int(generations, "generations")
    check_int(seed, "seed", 0)
    check_noise(noise=layers["noise"], weak_noise=layers["weak_noise"])
    if layers["policy"] is not None:
        check_policy(layers["policy"])


def _trained(fit, baseline, waterfall):
    """What the report says of the phases; trains the models to compare with."""
    return {
        "phases": fit.phases,
        "baseline": fit.baseline() if baseline else None,
        "linear_probe": fit.linear_probe() if baseline else None,
        "waterfall": fit.waterfall() if waterfall else [],
    }


def _check_findings(findings):
    if findings is not None and not isinstance(findings, FolderFindings):
        raise ValueError(
            "`findings` must be those of `data.load_image_folders`. "
            f"Received: findings={findings!r}"
        )


def _compiled(model, task, labels):
    """Compiles a model as it was trained, if the user has not."""
    if not model.compiled:
        loss = (
            keras.losses.CategoricalCrossentropy
            if labels.ndim == 2
            else keras.losses.SparseCategoricalCrossentropy
        )
        # An optimizer without slots, which would be saved with the model.
        model.compile(
            "sgd", loss(from_logits=task.from_logits), metrics=["accuracy"]
        )
    return model
