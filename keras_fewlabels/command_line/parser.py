"""The arguments of the command `keras-fewlabels`."""

import argparse
import math
import re

from keras_fewlabels.command_line import commands

_EXAMPLES = """
examples:
  keras-fewlabels fit labeled unlabeled --time-limit 5m --output report
  keras-fewlabels report report
  keras-fewlabels predict report photo.jpg more_photos
  keras-fewlabels next report labeled unlabeled --count 20 --output next
  keras-fewlabels audit report labeled unlabeled --output audit
  keras-fewlabels export report photo.jpg --output exported
"""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def command_parser():
    """Returns the `argparse.ArgumentParser` of all commands."""
    parser = argparse.ArgumentParser(
        "keras-fewlabels",
        description="Trains an image classifier from few labels and many "
        "unlabelled images.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )
    for name, (run, add_arguments, summary, example) in _COMMANDS.items():
        command = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"example:\n  keras-fewlabels {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        add_arguments(command)
    return parser


def _add_fit(parser):
    _add_folders(parser)
    add = parser.add_argument
    add("--test", metavar="DIR", help="folders of test images, only measured")
    add(
        "--backbone",
        default="EfficientNetV2B0",
        metavar="NAME",
        help="a network of keras.applications, a preset of keras-hub, or a "
        "file of a Keras model (default: %(default)s)",
    )
    add(
        "--weights",
        default="imagenet",
        help="imagenet, none, or a file of weights for a network of "
        "keras.applications (default: %(default)s)",
    )
    add("--image-size", type=int, help="side in pixels; by default of the data")
    add(
        "--time-limit",
        type=seconds,
        metavar="TIME",
        help="such as 90s, 10m, 1h or inf; by default 10m for a network that "
        "comes trained",
    )
    add("--seed", type=int, default=0)
    _add_output(parser, "report")


def _add_predict(parser):
    _add_model(parser)
    _add_images(parser)
    parser.add_argument(
        "--csv", metavar="FILE", help="write a table instead of printing it"
    )


def _add_audit(parser):
    _add_model(parser)
    _add_folders(parser)
    _add_output(parser, "audit")


def _add_next(parser):
    _add_model(parser)
    _add_folders(parser)
    parser.add_argument("--count", type=int, default=20)
    _add_output(parser, "next")


def _add_export(parser):
    _add_model(parser)
    _add_images(parser, "on which the formats are compared")
    parser.add_argument(
        "--formats",
        nargs="+",
        default=["keras", "saved_model", "onnx", "litert"],
        metavar="FORMAT",
        help="out of keras, saved_model, onnx and litert; by default all",
    )
    _add_output(parser, "exported")


def _add_report(parser):
    parser.add_argument("folder", help="the folder that `fit` wrote")


def _add_model(parser):
    parser.add_argument(
        "model", help="the folder that `fit` wrote, or the file of a model"
    )


def _add_folders(parser):
    parser.add_argument("labeled", help="a folder with a folder per class")
    parser.add_argument("unlabeled", help="a folder of images")


def _add_images(parser, purpose=""):
    parser.add_argument(
        "images",
        nargs="+",
        help=f"files of images, or folders of them {purpose}".strip(),
    )


def _add_output(parser, default):
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=default,
        help="(default: %(default)s)",
    )


def seconds(text):
    """Reads a time such as `90`, `90s`, `10m`, `1.5h` or `inf`.

    Args:
        text: String.

    Returns:
        Float, the time in seconds.

    Raises:
        argparse.ArgumentTypeError: If it is no time.
    """
    if text == "inf":
        return math.inf
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(
            f"a time is a number with s, m or h, or inf, such as 10m: {text!r}"
        )
    return float(found[1]) * _SECONDS[found[2]]


# By its name: what a command runs, the arguments it takes, and its help.
_COMMANDS = {
    "fit": (
        commands.fit,
        _add_fit,
        "train a classifier and write its report",
        "fit labeled unlabeled --time-limit 5m --output report",
    ),
    "predict": (
        commands.predict,
        _add_predict,
        "name the class of images",
        "predict report photo.jpg more_photos --csv classes.csv",
    ),
    "audit": (
        commands.audit,
        _add_audit,
        "find the labels of unlabelled images that are most likely wrong",
        "audit report labeled unlabeled --output audit",
    ),
    "next": (
        commands.propose,
        _add_next,
        "find the images that are best labelled next",
        "next report labeled unlabeled --count 20 --output next",
    ),
    "export": (
        commands.export,
        _add_export,
        "write a classifier for other programs",
        "export report photo.jpg --formats onnx --output exported",
    ),
    "report": (
        commands.report,
        _add_report,
        "open a report in the browser",
        "report report",
    ),
}
