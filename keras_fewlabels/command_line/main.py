import sys

from keras_fewlabels.command_line.parser import command_parser


def main(arguments=None):
    """Runs the command `keras-fewlabels`.

    Args:
        arguments: Optional list of strings. Defaults to those of the process.

    Returns:
        Int, the exit code of the process: 0 if all went well, 1 if an input
        cannot be used, 130 if Ctrl-C ended it without a result. Arguments
        that the command does not have exit with 2.
    """
    options = command_parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError, ImportError) as error:
        # They say what was expected, and how to mend it.
        print(f"keras-fewlabels {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"\nkeras-fewlabels {options.command}: interrupted",
            file=sys.stderr,
        )
        return 130
