"""The phases of a run, as data, and how each kind of phase is trained."""

from keras_fewlabels.loops.noisy_student.phases.fine_tuning import FineTuning
from keras_fewlabels.loops.noisy_student.phases.heads import (
    LinearProbe,
    SelfTraining,
)
from keras_fewlabels.loops.noisy_student.phases.noisy_student import (
    NoisyStudentPhase,
)
from keras_fewlabels.loops.noisy_student.phases.phase import Noise, Phase
from keras_fewlabels.loops.noisy_student.phases.phase_kind import (
    FittedPhase,
    PhaseContext,
    PhaseKind,
)
from keras_fewlabels.loops.noisy_student.phases.plan import (
    BASELINE,
    LINEAR_PROBE,
    STUDENT,
    plan_phases,
    waterfall_steps,
)
from keras_fewlabels.loops.noisy_student.phases.supervised import (
    HighResolution,
    Supervised,
)

# The kinds of phases, by the name that a `Phase` has for its kind.
PHASE_KINDS = {
    "supervised": Supervised(),
    "noisy student": NoisyStudentPhase(),
    "high resolution": HighResolution(),
    "linear probe": LinearProbe(),
    "self-training": SelfTraining(),
    "fine-tuning": FineTuning(),
}

__all__ = [
    "BASELINE",
    "LINEAR_PROBE",
    "PHASE_KINDS",
    "STUDENT",
    "FittedPhase",
    "Noise",
    "Phase",
    "PhaseContext",
    "PhaseKind",
    "plan_phases",
    "waterfall_steps",
]
