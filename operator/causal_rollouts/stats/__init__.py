"""Arrays in, frozen results out; symbols as in the papers, no word of the domain."""
