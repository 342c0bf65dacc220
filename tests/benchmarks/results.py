"""Writes and reads the files of results, and makes the pages of them.

    python tests/benchmarks/results.py

A benchmark with `--output FILE` writes a JSON file: what was measured, the
command, the machine, the seeds, the date and the rows of a table. A cell is a
text, a number, or a list of one number per seed. The command above makes
`.docs/pages/benchmarks.md` out of the files in `tests/benchmarks/results`, and
puts the table of photographs into README.md. A test checks that both are up to
date.
"""

import datetime
import json
import os
import pathlib
import platform
import re
import shlex
import statistics
import sys
import textwrap

ROOT = pathlib.Path(__file__).parents[2]
FILES = pathlib.Path(__file__).with_name("results")
PAGE = ROOT / ".docs" / "pages" / "benchmarks.md"
README = ROOT / "README.md"
README_TABLE = "photographs"
# There the best of them is enough, and these rows beside the last two, which
# are of all rows.
ON_THE_PAGE_ALONE = "LR", "SVM", "LS", "ST"
IN_README = ", 10"
# The order of the sections; others follow by name.
ORDER = "photographs", "digits", "methods_digits", "methods_cifar10"
INTRODUCTION = """\
# What was measured

`python tests/benchmarks/results.py` writes this page. Every table comes from a
file that the command below it wrote, in `tests/benchmarks/results`. Figures of
several seeds are means and standard deviations. What is not here has not been
measured in this state of the package.
"""


def add_seeds(parser):
    """Adds `--seeds` and `--first-seed`, which `seeds_of` reads."""
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)


def seeds_of(arguments):
    """Returns the range of seeds of a benchmark with these options."""
    return range(arguments.first_seed, arguments.first_seed + arguments.seeds)


def add_output(parser):
    """Adds the option `--output` to the parser of a benchmark."""
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        metavar="FILE",
        help="write the results with command, machine, seeds and date",
    )


def write_results(file, title, about, rows, seeds=()):
    """Writes the results of the benchmark that is running.

    Args:
        file: Path, or `None`, with which nothing is written.
        title: String, the heading of its section.
        about: Markdown text, what was measured.
        rows: List of dicts of a column's name to a text, a number, or a list
            of one number per seed. The first column names the row.
        seeds: List of ints.
    """
    if file is None:
        return
    result = {
        "title": title,
        "about": about,
        "command": _command(),
        "machine": _machine(),
        "seeds": list(seeds),
        "date": datetime.date.today().isoformat(),
        "rows": rows,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n")


def _command():
    """Returns the command of this process, as seen from the repository."""
    script = pathlib.Path(sys.argv[0]).resolve()
    arguments = iter(sys.argv[1:])
    words = ["python", str(script.relative_to(ROOT))]
    for word in arguments:
        if word == "--output":
            next(arguments)
        elif not word.startswith("--output="):
            # Only the names of files that lie elsewhere.
            words.append(pathlib.Path(word).name if "/" in word else word)
    return shlex.join(words)


def _machine():
    import keras

    import keras_fewlabels

    processor = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*: (.*)", cpuinfo.read_text())
        processor = found[1] if found else processor
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "backend": keras.backend.backend(),
        "python": platform.python_version(),
        "keras": keras.__version__,
        "keras_fewlabels": keras_fewlabels.__version__,
    }


def read_results(folder=FILES):
    """Returns a dict of the name of each file to its results, in order."""

    def place(file):
        known = file.stem in ORDER
        return not known, ORDER.index(file.stem) if known else 0, file.stem

    files = sorted(folder.glob("*.json"), key=place)
    return {file.stem: json.loads(file.read_text()) for file in files}


def table(rows):
    """Returns rows as a table of Markdown."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    kinds = {name: row[name] for row in rows for name in row}
    lines = [columns]
    lines.append(
        ["---" if isinstance(kinds[name], str) else "---:" for name in columns]
    )
    lines += [[_cell(row.get(column)) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _wrapped(text):
    return textwrap.fill(
        text, 80, break_on_hyphens=False, break_long_words=False
    )


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, list):
        mean = f"{statistics.fmean(value):.1f}"
        spread = f" ± {statistics.stdev(value):.1f}" if len(value) > 1 else ""
        return mean + spread
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def page(results):
    """Returns the page of all results."""
    sections = [INTRODUCTION]
    for name, result in results.items():
        machine = result["machine"]
        seeds = result["seeds"]
        facts = [
            f"{machine['cores']} cores of {machine['processor']}",
            f"backend {machine['backend']}",
            f"Keras {machine['keras']}, keras_fewlabels "
            f"{machine['keras_fewlabels']}",
        ]
        if seeds:
            facts.append(f"seeds {', '.join(map(str, seeds))}")
        sections.append(
            f"## {result['title']}\n\n{_wrapped(result['about'])}\n\n"
            f"{table(result['rows'])}\n\n"
            f"```sh\n{result['command']}\n```\n\n"
            + _wrapped(
                f"{result['date']}; {'; '.join(facts)}; file `{name}.json`."
            )
            + "\n"
        )
    return "\n".join(sections)


def with_table(text, results):
    """Returns the README with the table of its case between two marks."""
    name = README_TABLE
    if name not in results:
        return text
    result = results[name]
    *rows, mean, least = [
        {key: row[key] for key in row if key not in ON_THE_PAGE_ALONE}
        for row in result["rows"]
    ]
    shown = [
        row for row in rows if next(iter(row.values())).endswith(IN_README)
    ]
    first, last = f"<!-- table: {name} -->", "<!-- end of table -->"
    below = _wrapped(
        f"{result['about']} Mean and standard deviation of "
        f"{len(result['seeds'])} seeds; the differences are of all {len(rows)} "
        "rows of [what was measured](.docs/pages/benchmarks.md), by "
        f"`{result['command']}`."
    )
    made = f"{first}\n{table([*shown, mean, least])}\n\n{below}\n{last}"
    pattern = f"{re.escape(first)}.*?{re.escape(last)}"
    return re.sub(pattern, lambda _: made, text, flags=re.DOTALL)


def main():
    results = read_results()
    PAGE.write_text(page(results))
    README.write_text(with_table(README.read_text(), results))


if __name__ == "__main__":
    main()
