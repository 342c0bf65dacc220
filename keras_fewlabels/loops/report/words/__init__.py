"""The numbers of a report in words."""
