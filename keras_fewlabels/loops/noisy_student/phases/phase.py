"""A phase of a run, as data."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Noise:
    """The noise of a phase.

    Args:
        images: `"strong"`, `"weak"` or `None`, the augmentation of the
            unlabelled images.
        labeled: The same for the labelled images.
        model: Boolean, whether residual branches are dropped.
    """

    images: str | None = None
    labeled: str | None = None
    model: bool = False


@dataclasses.dataclass(frozen=True)
class Phase:
    """One phase of a run: what is trained, how long and from whom.

    Args:
        name: String, the name in the report.
        kind: String, a key of `PHASE_KINDS`.
        steps: Int, the steps at most.
        teacher: `"average"`, `"frozen"` or `None`.
        noise: `Noise`.
        generation: Int, the generation of the student, 0 before the first.
        branch: String. A phase goes on from the one before of its branch.
        patience: Optional int, the epochs without a lower validation loss
            after which the phase ends.
        as_long_as: Optional string, a branch. The phase then has as many
            steps as the phases of that branch really had.
        with_validation: Boolean, whether the validation images are trained
            on as well.
        full_resolution: Boolean, whether the phase sees images as they are
            in spite of the setting `low_resolution`.
        with_unlabeled: Boolean, whether a rung learns from unlabelled images.
        with_pseudo_labels: Boolean, whether the layers learn pseudo-labels,
            and not the head alone.
        mirrored: Boolean, whether the features of a rung are the mean of those
            of an image and of its mirror image.
        num_predicted: Int, the images whose features a rung computes.
    """

    name: str
    kind: str
    steps: int
    teacher: str | None = None
    noise: Noise = Noise()
    generation: int = 0
    branch: str = "student"
    patience: int | None = None
    as_long_as: str | None = None
    with_validation: bool = False
    full_resolution: bool = False
    with_unlabeled: bool = False
    with_pseudo_labels: bool = False
    mirrored: bool = False
    num_predicted: int = 0

    @property
    def title(self):
        """String, the name with the generation, different for all phases."""
        return (
            f"{self.name} {self.generation}" if self.generation else self.name
        )
