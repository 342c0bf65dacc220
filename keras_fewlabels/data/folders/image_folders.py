import dataclasses

import numpy as np

from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.folders.image_files import ImageFiles
from keras_fewlabels.data.review import read_new_labels


@dataclasses.dataclass(frozen=True, eq=False)
class ImageFolders:
    """The images of folders, in the form that `fit_noisy_student` takes.

    `load_image_folders` returns it.

    Args:
        labeled: Pair of arrays, uint8 images `(num_images, height, width,
            channels)` and int64 class numbers `(num_images,)`, in an order
            drawn from the seed.
        unlabeled: `ImageFiles`, in an order drawn from the seed, or `None`.
        test: Pair of `ImageFiles` and int64 class numbers, or `None`.
        validation: Pair of arrays as `labeled`, or `None`.
        class_names: List of strings. A class number is an index of it.
        file_paths: Dict with a list of strings, the file of each image, for
            each of "labeled", "unlabeled", "test" and "validation" that was
            given.
        findings: `FolderFindings`, the files that were skipped, and why.
        origins: Dict of the files of images that were labelled since to dicts
            of `file`, where the label was read, and of who gave it (`by`) and
            when (`at`), as far as that is known.

    Attributes:
        image_shape: Tuple `(height, width, channels)`.
        num_classes: Int.

    Example:

    >>> from keras_fewlabels.data.folders.image_folders import (
    ...     FolderFindings,
    ...     ImageFolders,
    ... )
    >>> images, labels = np.zeros((4, 8, 8, 3), "uint8"), np.arange(4) % 2
    >>> folders = ImageFolders(
    ...     labeled=(images, labels),
    ...     unlabeled=None,
    ...     test=None,
    ...     validation=None,
    ...     class_names=["daisy", "rose"],
    ...     file_paths={"labeled": [f"{n}.png" for n in range(4)]},
    ...     findings=FolderFindings({}, [], []),
    ... )
    >>> folders.image_shape, folders.num_classes
    ((8, 8, 3), 2)
    """

    labeled: tuple
    unlabeled: ImageFiles | None
    test: tuple | None
    validation: tuple | None
    class_names: list
    file_paths: dict
    findings: FolderFindings
    origins: dict = dataclasses.field(default_factory=dict)

    @property
    def image_shape(self):
        return tuple(self.labeled[0].shape[1:])

    @property
    def num_classes(self):
        return len(self.class_names)

    def with_labels(self, file):
        """Returns the folders with the labels that people gave since.

        The images that have a label in the file are among the labelled ones,
        and no longer among the unlabelled ones. No file is moved or changed.
        Labels may be given again and again:
        `folders.with_labels("first/to_label.csv").with_labels("next/...")`.
        An image that has a label keeps it, and a warning counts the others.

        Args:
            file: Path of a CSV file, as for `data.read_new_labels`.

        Returns:
            An `ImageFolders`.

        Raises:
            ValueError: If there are no unlabelled images, or as
                `data.read_new_labels`.
        """
        if self.unlabeled is None:
            raise ValueError(
                "Folders without unlabelled images have none to be labelled. "
                "Pass a folder as `unlabeled` to `load_image_folders`. "
                f"Received: file={str(file)!r}"
            )
        indices, labels, origins = read_new_labels(
            self.unlabeled,
            file,
            class_names=self.class_names,
            return_origins=True,
        )
        rest = np.ones(len(self.unlabeled), bool)
        rest[indices] = False
        images, known = self.labeled
        unlabeled = self.unlabeled.subset(rest) if rest.any() else None
        paths = [self.unlabeled.file_paths[index] for index in indices]
        file_paths = {
            **self.file_paths,
            "labeled": [*self.file_paths["labeled"], *paths],
            "unlabeled": unlabeled and unlabeled.file_paths,
        }
        if unlabeled is None:
            del file_paths["unlabeled"]
        return dataclasses.replace(
            self,
            labeled=(
                np.concatenate([images, self.unlabeled[indices]]),
                np.concatenate([known, labels]),
            ),
            unlabeled=unlabeled,
            file_paths=file_paths,
            origins={**self.origins, **dict(zip(paths, origins, strict=True))},
        )

    def arguments(self):
        """Returns the arguments of `fit_noisy_student` as a dict.

        Use it as `fit_noisy_student(build_student, **folders.arguments())`.
        """
        return {
            "labeled": self.labeled,
            "unlabeled": self.unlabeled,
            "validation_data": self.validation,
            "test_data": self.test,
            "class_names": self.class_names,
            "findings": self.findings,
        }
