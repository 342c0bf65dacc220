"""Datasets that `fit()` trains on."""
