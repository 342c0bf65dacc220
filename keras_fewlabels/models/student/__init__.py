"""The parts of `NoisyStudentModel`: checks, fit, progress and metrics."""
