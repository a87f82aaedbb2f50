"""The words every layer speaks: frozen values, standard library only."""
