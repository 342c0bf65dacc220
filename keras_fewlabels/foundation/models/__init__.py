"""Models of the user: what they must be, and their features."""
