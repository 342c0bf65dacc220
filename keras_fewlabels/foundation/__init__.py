"""One place each for files, checks and the insides of Keras."""
