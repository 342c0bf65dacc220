"""The datasets that fits run on."""
