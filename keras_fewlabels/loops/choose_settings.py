"""The settings of a run, chosen by the user or else recommended."""

from keras_fewlabels.loops.settings import RULES, Settings

_OF_OPTIMIZER = ("learning_rate", "weight_decay")
_OF_NOISE = ("ops", "num_ops", "magnitude", "table", "cutout")
_OF_BOTH_NOISES = ("flip", "fill_value")
_OF_POLICY = ("threshold", "temperature")
_OF_NEW_MODELS = (
    "unlabeled_ratio",
    "validation_split",
    "train_on_validation",
    "supervised_steps",
    "patience",
    "labeled_noise",
    "supervised_noise",
    "student_noise",
    "teacher",
    "ema_decay",
    "threshold",
    "temperature",
    "unlabeled_weight",
    "low_resolution",
    "high_resolution_steps",
)


def choose_settings(given, recommended, unused):
    """Returns the settings to use: the given ones, or else the recommended.

    Args:
        given: `Settings`, dict of some settings, or `None`.
        recommended: `Settings`.
        unused: Dict of names of settings without an effect to the reason.

    Returns:
        `Settings`.

    Raises:
        ValueError: If a name is unknown, a value is out of range, or the user
            chose a value for a setting without an effect.
    """
    given = {} if given is None else given
    if not isinstance(given, Settings | dict):
        raise ValueError(
            "`settings` must be a `Settings`, as `recommend` returns it, or a "
            f"dict of some settings. Received: settings={given!r}"
        )
    settings = recommended.with_changes(given)
    # A dict of all settings is one that `to_dict` has made.
    is_choice = isinstance(given, dict) and len(given) < len(RULES)
    for name, reason in unused.items():
        was_chosen = is_choice and name in given
        if was_chosen or settings[name] != recommended[name]:
            raise ValueError(
                f"The setting {name!r} would have no effect: {reason}. Leave "
                f"the setting out. Received: {name}={settings[name]!r}"
            )
        settings.why[name] = f"not used: {reason}"
    return settings


def unused_settings(
    model, pretrained, policy=None, noise=None, weak_noise=None
):
    """Returns the settings that have no effect.

    Their place is taken by a model or a passed layer, or they are of the
    other kind of run.

    Args:
        model: Keras model, the student.
        pretrained: Boolean, the setting.
        policy: Optional policy that the user passed.
        noise: Optional layer, likewise.
        weak_noise: Optional layer, likewise.

    Returns:
        Dict of names of settings to the reason.
    """
    if pretrained:
        reason = (
            "the model comes trained; with `pretrained=False` it is trained "
            "as a new one"
        )
        unused = dict.fromkeys(_OF_NEW_MODELS, reason)
    else:
        unused = {"rounds": "only a model that comes trained has rounds"}
    if model.compiled:
        reason = "the model is compiled with its own "
        unused |= dict.fromkeys(_OF_OPTIMIZER, reason + "optimizer")
        unused["label_smoothing"] = reason + "loss"
    if noise is not None:
        unused |= dict.fromkeys(_OF_NOISE, "`noise` takes its place")
    if noise is not None and weak_noise is not None:
        reason = "`noise` and `weak_noise` take its place"
        unused |= dict.fromkeys(_OF_BOTH_NOISES, reason)
    if policy is not None:
        unused |= dict.fromkeys(_OF_POLICY, "`policy` takes its place")
    return unused


def chosen_pretrained(settings, layers):
    """Returns the user's choice of the setting `pretrained`, or `None`.

    Args:
        settings: `Settings`, dict of some settings, or `None`.
        layers: Dict of the user's `policy`, `noise` and `weak_noise`.

    Raises:
        ValueError: If the layers would have no effect.
    """
    choice = None
    if isinstance(settings, Settings):
        choice = settings.pretrained
    elif isinstance(settings, dict):
        choice = settings.get("pretrained")
    for_new = [
        name for name in ("policy", "weak_noise") if layers[name] is not None
    ]
    if choice and for_new:
        raise ValueError(
            f"`{for_new[0]}` would have no effect: it is for pseudo-labels "
            "that each step makes anew, as the loop of new models does. Leave "
            "it out, or leave `settings` out, and the model is trained as a "
            f"new one. Received: {for_new[0]}={layers[for_new[0]]}, with "
            "settings of pretrained=True"
        )
    return False if for_new else choice
