"""Files that are read and written whatever has become of them."""
