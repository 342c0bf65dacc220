"""The corruptions themselves, one function each."""
