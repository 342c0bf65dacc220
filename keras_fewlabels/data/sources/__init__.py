"""Images of any kind, read in order."""
