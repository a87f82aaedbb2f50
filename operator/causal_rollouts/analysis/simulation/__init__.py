"""A cluster made of random numbers: nuisance on purpose, harm on request."""
