import dataclasses

from keras_fewlabels.data.folders.folder_findings import FolderFindings
from keras_fewlabels.data.folders.image_files import ImageFiles


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

    @property
    def image_shape(self):
        return tuple(self.labeled[0].shape[1:])

    @property
    def num_classes(self):
        return len(self.class_names)

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
