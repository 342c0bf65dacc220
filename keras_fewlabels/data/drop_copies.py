"""Images that are there more than once."""

import collections

from keras_fewlabels.data.find_files import shown
from keras_fewlabels.data.finding import Finding


def drop_copies(parts):
    """Leaves each image in one place, so that none that is measured is learned.

    An image is the same as another if all pixels are. Of several copies in a
    part one stays. In several classes of a part none does, since nobody knows
    which is right. In several parts it stays in the first one.

    Args:
        parts: Dict of parts to lists of `FoundImage`, what is measured first:
            what is there stays out of all that follows.

    Returns:
        Dict of the same parts to lists of `FoundImage`, and a list with a
        `Finding` for each copy that is left out.
    """
    kept, findings, elsewhere = {}, [], {}
    for part, images in parts.items():
        # The first copy in each class, by pixels.
        classes = collections.defaultdict(dict)
        for image in images:
            classes[image.pixels].setdefault(image.label, image)
        kept[part] = []
        for image in images:
            firsts = classes[image.pixels]
            kind, other = _reason(image, firsts, elsewhere.get(image.pixels))
            if kind is None:
                kept[part].append(image)
                continue
            detail = f"as {other.part}: {shown(other.file)}"
            findings.append(Finding(kind, part, shown(image.file), detail))
        for pixels, firsts in classes.items():
            elsewhere.setdefault(pixels, next(iter(firsts.values())))
    return kept, findings


def _reason(image, firsts, elsewhere):
    """Why an image is left out, and the image because of which; or `None`."""
    if elsewhere is not None:
        return "in another part", elsewhere
    for label, other in firsts.items():
        if label != image.label:
            return "two classes", other
    if image is not firsts[image.label]:
        return "copy", firsts[image.label]
    return None, None
