"""One scenario a file, each told as a user would see it."""
