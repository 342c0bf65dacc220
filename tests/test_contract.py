"""The names and arguments that other code relies on."""

import inspect

import pytest

import keras_fewlabels as kfl

# The arguments may be passed by position, in this order.
CONTRACT = [
    "layers.StochasticDepth(rate=0.2, per_sample=True, scale='training', "
    "seed=None)",
    "layers.StochasticResidual(branch, rate=0.2, seed=None)",
    "layers.RandAugment(num_ops=2, magnitude=10, value_range=(0, 255), "
    "ops=None, interpolation='bilinear', fill_value=None, seed=None)",
    "models.linear_rates(num_blocks, final_rate=0.2)",
    "models.add_stochastic_depth(model, final_rate=0.2)",
    "models.classifier(backbone, classes, image_size, weights='imagenet')",
    # Without a schedule it is {0: 0, 5: 20, 10: "all"}.
    "callbacks.FineTune(backbone, schedule=None, "
    "learning_rates=None, freeze_batch_norm=True)",
    "callbacks.PseudoLabeler(unlabeled, teacher=None, policy=None, "
    "balance=None, every=1, batch_size=256, truth=None)",
    "callbacks.PseudoLabeler.mixed_with(labeled, batch_size=64)",
    "callbacks.LearningRateFinder()",
    "models.NoisyStudentModel(student, teacher=None, policy=None, noise=None, "
    "weak_noise=None, unlabeled_weight=1.0)",
    "models.EMATeacher(decay=0.999)",
    "models.FixMatch(student)",
    "models.FlexMatch(student)",
    "models.FreeMatch(student)",
    "models.SoftMatch(student)",
    "models.AdaMatch(student)",
    "models.MeanTeacher(student)",
    "models.MixMatch(student)",
    "models.ReMixMatch(student)",
    "models.UDA(student)",
    "policies.FixedThreshold(threshold=0.95, soft=False, temperature=1.0)",
    "policies.FlexMatchPolicy()",
    "policies.TopPerClass(num_per_class)",
    "data.split_labels(x, y, num_labeled, num_unlabeled=None, stratify=True, "
    "seed=0)",
    "data.mix_labeled_unlabeled(labeled, unlabeled, batch_size=64, "
    "unlabeled_ratio=1, shuffle=True, seed=None)",
    "loops.fit_head(model, backbone, labeled)",
    "loops.fit_noisy_student(build_student, labeled, unlabeled, "
    "validation_data=None, generations=1)",
    "evaluation.audit_pseudo_labels(model, labeled, unlabeled)",
    "evaluation.examine_pool(model, labeled, unlabeled)",
    "evaluation.next_to_label(model, labeled, unlabeled, count)",
    "evaluation.first_to_label(unlabeled, count)",
    "evaluation.evaluate_corruptions(model, x, y, corruptions=None, "
    "severities=(1, 2, 3, 4, 5))",
    "plots.learning_curves()",
    "plots.predictions()",
    "plots.augmentations()",
    "plots.pseudo_labels()",
    "plots.comparison()",
]


def expected_arguments(arguments):
    scope = {}
    exec(f"def function({arguments}: pass", scope)
    return inspect.signature(scope["function"]).parameters.values()


@pytest.mark.parametrize("line", CONTRACT)
def test_arguments_by_position(line):
    name, arguments = line.split("(", 1)
    function = kfl
    for part in name.split("."):
        function = getattr(function, part)
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
        and parameter.kind == parameter.POSITIONAL_OR_KEYWORD
    ]
    for number, expected in enumerate(expected_arguments(arguments)):
        assert parameters[number].name == expected.name
        if expected.default is not expected.empty:
            assert parameters[number].default == expected.default


def test_public_names():
    names = {
        folder: getattr(kfl, folder).__all__
        for folder in kfl.__all__
        if getattr(kfl, folder).__all__
    }
    assert sum(map(len, names.values())) <= 75
    for folder, exported in names.items():
        assert exported == sorted(exported, key=_by_kind)
        for name in exported:
            assert getattr(getattr(kfl, folder), name).__doc__


def _by_kind(name):
    # As ruff sorts: constants, classes, functions.
    if name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name
