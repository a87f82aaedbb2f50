"""From raw samples to evidence: increments, validity, assessment. Pure."""
