"""Classifiers on features that are computed once, with unlabelled images."""
