"""Which series count, and as what: matchers as Prometheus reads them.

Applied here and not in the query, so that one query serves every metric of a
source and a recording can be judged again with other matchers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from causal_rollouts.model.metrics import Matcher


class BadPattern(ValueError):  # noqa: N818 - reads as a sentence in the message
    """A pattern is no regular expression; the message names it."""


class Patterns:
    """A list of matchers; a series matches when any of them does, a matcher when all its labels do."""

    def __init__(self, matchers: Sequence[Matcher], where: str) -> None:
        self._any = [
            [(name, _compiled(pattern, where)) for name, pattern in matcher.labels] for matcher in matchers
        ]

    def __bool__(self) -> bool:
        return bool(self._any)

    def match(self, labels: Mapping[str, str]) -> bool:
        """A label that is absent reads as the empty text, as in Prometheus."""
        return any(all(p.fullmatch(labels.get(name, "")) for name, p in every) for every in self._any)


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    try:
        # Prometheus lets a dot match a line feed; label values may hold one.
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise BadPattern(f"{where}: {pattern!r} is no regular expression ({error}); mend it") from None
