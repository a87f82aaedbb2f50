"""`make transcript`: docs/walkthrough.md, a release that is driven by the command line alone."""
