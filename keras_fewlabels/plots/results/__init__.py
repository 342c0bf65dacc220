"""Figures that draw one result each, for its method `figure()`."""
