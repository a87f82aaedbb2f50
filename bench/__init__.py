"""How long things take, on this machine, beside something that others know: `make bench`."""
