"""`make demo`: the main job, told in plain words while it happens."""
