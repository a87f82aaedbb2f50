"""The three kinds a user applies: models, resolution, conditions, rendered schemas."""
