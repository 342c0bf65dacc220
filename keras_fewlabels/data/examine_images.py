"""Every file of a folder, decoded once before anything is trained."""

import concurrent.futures
import hashlib
import os

from keras_fewlabels.data.decode_image import UnusableImage, decode_image
from keras_fewlabels.data.find_files import shown
from keras_fewlabels.data.finding import Finding
from keras_fewlabels.data.found_image import FoundImage

# Files that wait for a thread at a time.
_WINDOW = 1024


def examine_images(part, root, files, labels, color_mode, on_file):
    """Decodes files in several threads and tells images from other files.

    Broken files are only found by decoding them to the end.

    Args:
        part: String, what the folder is for, as for `FoundImage`.
        root: String, the folder.
        files: List of paths relative to it.
        labels: List of ints, a class per file, or of `None`.
        color_mode: `"rgb"` or `"grayscale"`.
        on_file: Function that is called after each file.

    Returns:
        Pair of lists, in the order of the files: a `FoundImage` for each that
        is an image, and every `Finding`.
    """

    def examine(file, label):
        path = os.path.join(root, file)
        try:
            image, converted = decode_image(path, color_mode)
        except UnusableImage as error:
            return None, {error.kind: error.detail}
        size = (image.height, image.width)
        digest = hashlib.blake2b(repr(size).encode(), digest_size=16)
        digest.update(image.tobytes())
        found = FoundImage(part, file, path, label, size, digest.digest())
        return found, converted

    images, findings = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), _WINDOW):
            window = files[start : start + _WINDOW]
            examined = pool.map(examine, window, labels[start:])
            for file, (image, facts) in zip(window, examined, strict=True):
                if image is not None:
                    images.append(image)
                findings += [
                    Finding(kind, part, shown(file), detail)
                    for kind, detail in facts.items()
                ]
                on_file()
    return images, findings
