"""Backups from which a killed fit goes on exactly."""

from keras_fewlabels.callbacks.backup.exact_backup import ExactBackup

__all__ = ["ExactBackup"]
