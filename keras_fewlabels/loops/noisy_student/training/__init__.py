"""The training of one phase, its backup and its progress."""
