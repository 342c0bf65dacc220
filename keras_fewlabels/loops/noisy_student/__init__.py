"""The phases of `fit_noisy_student`."""
