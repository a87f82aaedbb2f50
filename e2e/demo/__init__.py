"""A service whose harm and noise are set by hand, the load on it, and the world around both."""
