"""The phases of a run, in their order."""

import dataclasses

from keras_fewlabels.loops.noisy_student.phases.phase import Noise, Phase

STUDENT = "student"
BASELINE = "baseline"
LINEAR_PROBE = "linear probe"
# After more passes over the labelled images a network may know them by heart.
# One run each, on pool images, before any pseudo-labels: waste with 10 labels
# per class had 71.0 % after 21 passes and 67.9 after 64, flowers with 4 had
# 77.3 after 64 and after 192. But hands with 4 had 72.7 after 32 and 76.3
# after 96.
_PASSES_ON_LABELS = 40
# After so many, a head on the mean with the weights before had from 0.3 points
# less to 3.1 more than one on the weights before, in four runs on flowers and
# waste.
FEWEST_STEPS_ON_LABELS = 40
# The branches of the waterfall, by the name of what each adds.
LABELS_ONLY = "labels only"
AUGMENTATION = "+ augmentation"
WITHOUT_MODEL_NOISE = "without model noise"


def plan_phases(
    settings,
    generations,
    *,
    counts=(0, 0),
    has_validation,
    baseline=False,
    linear_probe=False,
    waterfall=False,
):
    """Returns all phases of a run, in their order.

    Args:
        settings: `Settings`.
        generations: Int, the number of students.
        counts: Pair of ints, the labelled images to train on and the unlabelled
            ones.
        has_validation: Boolean.
        baseline: Boolean, whether a model is trained on labels alone.
        linear_probe: Boolean, whether a linear classifier is fitted to the
            features of the model before it is trained.
        waterfall: Boolean, whether models without parts of the method are
            trained.

    Returns:
        List of `Phase`.

    Raises:
        ValueError: If a model that comes trained is to have a waterfall.
    """
    if waterfall and settings.pretrained:
        raise ValueError(
            "A model that comes trained has no waterfall: its phases show "
            "what each rung brings. Leave it out, or train the model as a new "
            "one with `settings={'pretrained': False}`. "
            f"Received: waterfall={waterfall}"
        )
    if settings.pretrained:
        return _ladder(settings, generations, counts, baseline)
    student = _student_phases(settings, generations, has_validation)
    last = student[-1]

    def alone(name, branch, noise):
        return Phase(
            name,
            "supervised",
            sum(phase.steps for phase in student),
            noise=noise,
            branch=branch,
            as_long_as=STUDENT,
            with_validation=last.with_validation,
            full_resolution=last.full_resolution,
        )

    phases = list(student)
    if baseline:
        noise = Noise(labeled="strong", model=True)
        phases.append(alone("supervised, same budget", BASELINE, noise))
    if linear_probe:
        phases.append(
            Phase(
                "linear probe",
                "linear probe",
                0,
                branch=LINEAR_PROBE,
                mirrored=settings.flip,
            )
        )
    if waterfall:
        phases.append(alone(LABELS_ONLY, LABELS_ONLY, Noise()))
        noise = Noise(labeled="strong")
        phases.append(alone(AUGMENTATION, AUGMENTATION, noise))
    if waterfall and settings.stochastic_depth:
        phases += map(_without_model_noise, student)
    return phases


def _ladder(settings, generations, counts, baseline):
    """Returns the rungs of a model that comes trained."""
    num_rounds = settings.rounds * generations
    steps_on_labels = _steps_on_labels(settings, counts[0], num_rounds)
    steps_of_round = (settings.student_steps - steps_on_labels) // num_rounds
    num_images = sum(counts)
    noise = Noise("strong", "strong", model=True)
    probe = Phase(
        "linear probe",
        "linear probe",
        0,
        with_unlabeled=True,
        mirrored=settings.flip,
        num_predicted=num_images * (2 if settings.flip else 1),
    )
    self_training = dataclasses.replace(
        probe, name="self-training", kind="self-training"
    )
    on_labels = Phase(
        "fine-tuning on labels",
        "fine-tuning",
        steps_on_labels,
        noise=noise,
        with_unlabeled=True,
        # Mirror images would take the time of dozens of steps.
        num_predicted=num_images,
    )
    rounds = [
        dataclasses.replace(
            on_labels,
            name="fine-tuning",
            steps=max(1, steps_of_round),
            generation=number,
            with_pseudo_labels=True,
        )
        for number in range(1, num_rounds + 1)
    ]
    phases = [probe, self_training, on_labels, *rounds]
    if baseline:
        phases += _baseline_rungs(probe, on_labels, settings.student_steps)
    return phases


def _baseline_rungs(probe, on_labels, steps):
    """Returns the rungs that learn labels alone, of the same budget."""
    # The features of the few labelled images take no time.
    alone = {"branch": BASELINE, "with_unlabeled": False, "num_predicted": 0}
    return [
        dataclasses.replace(
            probe, name="linear probe of the baseline", **alone
        ),
        dataclasses.replace(
            on_labels,
            name="fine-tuning, labels only",
            steps=steps,
            as_long_as=STUDENT,
            **alone,
        ),
    ]


def _steps_on_labels(settings, num_labeled, num_rounds):
    """Returns the steps of fine-tuning on labels, at most those of a round."""
    steps = round(_PASSES_ON_LABELS * num_labeled / settings.batch_size)
    steps = max(FEWEST_STEPS_ON_LABELS, steps)
    return max(1, min(steps, settings.student_steps // (1 + num_rounds)))


def waterfall_steps(phases):
    """Returns what the waterfall compares: names of steps to phases.

    Args:
        phases: List of `Phase`, as of `plan_phases`.

    Returns:
        Dict of strings to the last `Phase` of a branch, each with one part
        more than the one before; empty without a waterfall.
    """
    last = {phase.branch: phase for phase in phases}
    if LABELS_ONLY not in last:
        return {}
    steps = {name: last[name] for name in (LABELS_ONLY, AUGMENTATION)}
    if WITHOUT_MODEL_NOISE in last:
        steps["+ pseudo-labels"] = last[WITHOUT_MODEL_NOISE]
        steps["+ model noise"] = last[STUDENT]
    else:
        steps["+ pseudo-labels"] = last[STUDENT]
    return steps


def _student_phases(settings, generations, has_validation):
    noise = Noise()
    if settings.supervised_noise:
        noise = Noise(labeled=settings.labeled_noise, model=True)
    supervised = Phase(
        "supervised",
        "supervised",
        settings.supervised_steps,
        noise=noise,
        # Without validation images the phase has all of its steps.
        patience=settings.patience if has_validation else None,
    )
    noise = Noise()
    if settings.student_noise:
        noise = Noise("strong", settings.labeled_noise, model=True)
    student = Phase(
        "noisy student",
        "noisy student",
        settings.student_steps,
        settings.teacher,
        noise,
        with_validation=has_validation and settings.train_on_validation,
    )
    phases = [supervised] + [
        dataclasses.replace(student, generation=generation)
        for generation in range(1, generations + 1)
    ]
    if settings.low_resolution:
        phases.append(
            dataclasses.replace(
                student,
                name="high resolution",
                kind="high resolution",
                steps=settings.high_resolution_steps,
                teacher=None,
                noise=Noise(labeled="weak"),
                generation=generations,
                full_resolution=True,
            )
        )
    return phases


def _without_model_noise(phase):
    return dataclasses.replace(
        phase,
        name=f"{WITHOUT_MODEL_NOISE}, {phase.name}",
        noise=dataclasses.replace(phase.noise, model=False),
        branch=WITHOUT_MODEL_NOISE,
    )
