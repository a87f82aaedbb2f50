"""The ordered rules that turn evidence and policy into one decision. Pure, standard library only."""
