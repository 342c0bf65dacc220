"""What a layer is saved with while a fit changes it for a time."""

import functools


def save_with(layer, **values):
    """Gives the config of a layer other values than the layer has now.

    A model that is saved, copied or compared meanwhile is then as the user
    built it. Values that the config does not have are left out.

    Args:
        layer: Keras layer.
        **values: Entries of the config, such as `trainable=True`. They join
            those of earlier calls.
    """
    if "get_config" not in vars(layer):
        vars(layer)["get_config"] = _config_of(layer)
    vars(layer)["get_config"].values.update(values)


def save_as_it_is(layer, *names):
    """Takes back what `save_with` has done.

    Args:
        layer: Keras layer.
        *names: Strings, the entries of the config.
    """
    get_config = vars(layer).get("get_config")
    if get_config is None:
        return
    for name in names:
        get_config.values.pop(name, None)
    if not get_config.values:
        del vars(layer)["get_config"]


def _config_of(layer):
    # `wraps` also copies the mark of a config that Keras makes by itself.
    @functools.wraps(type(layer).get_config)
    def get_config():
        config = type(layer).get_config(layer)
        config.update(
            {
                name: value
                for name, value in get_config.values.items()
                if name in config
            }
        )
        return config

    get_config.values = {}
    return get_config
