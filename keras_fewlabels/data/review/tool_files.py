"""Files of reviewed images in the formats of other tools."""

import html
import json
import pathlib
import urllib.parse

import numpy as np

from keras_fewlabels.foundation import check_list, choice_rule, write_whole

# What the labels are called in the project of Label Studio.
_CONTROL = {"from_name": "label", "to_name": "image", "type": "choices"}


def check_tool_formats(formats, choices, rows):
    """Checks that images can be written in the formats of other tools.

    Args:
        formats: List of names, or an empty one.
        choices: Tuple of the names that it may have.
        rows: List of dicts, as `image_rows` returns it.

    Raises:
        ValueError: If a name is unknown, or a format needs files of images and
            an image has none.
    """
    if isinstance(formats, list | tuple) and not formats:
        return
    check_list(formats, "formats", choice_rule(*choices))
    of_files = [name for name in formats if name in _CONTENTS]
    if of_files and not all(row["path"] for row in rows):
        raise ValueError(
            f"The formats {of_files} name the files of images. Pass them as "
            "`paths` to the function that has ranked the images, or pass "
            "`data.ImageFiles` as images. Received: images without files"
        )


def write_tool_files(
    folder, formats, rows, *, labels, confidences, scores, class_names
):
    """Writes images and their labels in the formats of other tools.

    Args:
        folder: Path of a folder that exists.
        formats: List of names, which `check_tool_formats` accepts. Other names
            than `"fiftyone"` and `"label_studio"` are left to the caller.
        rows: List of dicts, as `image_rows` returns it.
        labels: Int array, the class of each of these images.
        confidences: Array of floats in 0 to 1, likewise.
        scores: Dict of names to arrays of a number per image.
        class_names: List of strings.

    Raises:
        OSError: If the folder does not take a new file.
    """
    images = [
        {
            **row,
            "file": pathlib.Path(row["path"]).resolve(),
            "label": int(label),
            "confidence": float(confidence),
            "scores": {
                name: float(column[place]) for name, column in scores.items()
            },
        }
        for place, (row, label, confidence) in enumerate(
            zip(rows, labels, confidences, strict=False)
        )
    ]
    for name in _CONTENTS:
        if name in formats:
            for file, text in _CONTENTS[name](images, class_names):
                write_whole(folder / file, text)


def write_cleanlab(file, indices, columns):
    """Writes a table of doubtful labels, which `pandas.read_json` reads.

    https://docs.cleanlab.ai/stable/cleanlab/classification.html

    Args:
        file: Path.
        indices: Int array, the number of each image, by which the rows are
            sorted.
        columns: Dict of the columns of `CleanLearning.find_label_issues` to
            arrays of the same length.

    Raises:
        OSError: If the file cannot be written.
    """
    order = np.argsort(indices)
    rows = indices[order].tolist()
    table = {
        name: dict(zip(rows, column[order].tolist(), strict=True))
        for name, column in columns.items()
    }
    write_whole(file, json.dumps(table))


def _fiftyone(images, class_names):
    """Yields a file for `fiftyone.types.FiftyOneImageClassificationDataset`.

    https://docs.voxel51.com/user_guide/import_datasets.html
    """
    labels = {
        str(image["file"]): {
            "label": image["label"],
            "confidence": image["confidence"],
            "attributes": {"rank": rank, **image["scores"]},
        }
        for rank, image in enumerate(images, 1)
    }
    content = {"classes": list(class_names), "labels": labels}
    yield "fiftyone.json", json.dumps(content, indent=1)


def _label_studio(images, class_names):
    """Yields tasks with predictions, and the interface that they are for.

    https://labelstud.io/guide/predictions
    """
    tasks = []
    for rank, image in enumerate(images, 1):
        path = image["file"].as_posix().lstrip("/")
        choice = {"choices": [class_names[image["label"]]]}
        tasks.append(
            {
                "data": {
                    "image": "/data/local-files/?d=" + urllib.parse.quote(path),
                    # The columns by which `read_new_labels` knows an image.
                    "index": image["index"],
                    "path": image["path"],
                    "hash": image["hash"],
                    "rank": rank,
                    **image["scores"],
                },
                "predictions": [
                    {
                        "model_version": "keras_fewlabels",
                        "score": image["confidence"],
                        "result": [
                            {"id": f"rank{rank}", **_CONTROL, "value": choice}
                        ],
                    }
                ],
            }
        )
    choices = "".join(
        f'    <Choice value="{html.escape(name)}"/>\n' for name in class_names
    )
    yield "label_studio.json", json.dumps(tasks, indent=1)
    yield (
        "label_studio.xml",
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="label" toName="image">\n{choices}'
        "  </Choices>\n</View>\n",
    )


_CONTENTS = {"fiftyone": _fiftyone, "label_studio": _label_studio}
