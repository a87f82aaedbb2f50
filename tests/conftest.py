"""How properties are searched: the same examples in every run, and no clock, for machines of any speed.

`pytest --hypothesis-profile=explore` looks for new ones.
"""

from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow]

settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=_QUIET)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=_QUIET)
settings.load_profile("same")
