"""Which series count, and as what: matchers as Prometheus reads them.

Applied here and not in the query, so that one query serves every metric of a
source and a recording can be judged again with other matchers. The engine is
that of Prometheus: the same words mean the same, and no pattern of one team
can keep the operator of all teams busy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import re2

from causal_rollouts.model.metrics import Matcher


class BadPattern(ValueError):  # noqa: N818 - reads as a sentence in the message
    """A pattern is no regular expression; the message names it."""


class Patterns:
    """A list of matchers; a series matches when any of them does, a matcher when all its labels do."""

    def __init__(self, matchers: Sequence[Matcher], where: str) -> None:
        try:
            self._any = [
                [(name, anchored(pattern)) for name, pattern in matcher.labels] for matcher in matchers
            ]
            self._names = sorted({name for every in self._any for name, _ in every})
            # Thousands of series of a look share a handful of values.
            self._known: dict[tuple[str, ...], bool] = {}
        except BadPattern as error:
            raise BadPattern(f"{where}: {error}; mend it") from None

    def __bool__(self) -> bool:
        return bool(self._any)

    def match(self, labels: Mapping[str, str]) -> bool:
        """A label that is absent reads as the empty text, as in Prometheus."""
        values = tuple([labels.get(name, "") for name in self._names])
        known = self._known.get(values)
        if known is None:
            known = any(all(p.fullmatch(labels.get(name, "")) for name, p in every) for every in self._any)
            self._known[values] = known
        return known


def anchored(pattern: str) -> re2._Regexp:
    """The pattern in the dialect of Prometheus (RE2), to be used with `fullmatch`.

    Raises:
        BadPattern: it is none; look-around and back-references are not in the dialect.
    """
    options = re2.Options()
    # Prometheus lets a dot match a line feed; label values may hold one.
    options.dot_nl = True
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        why = said.decode() if isinstance(said, bytes) else str(said)
        raise BadPattern(f'"{pattern}" is no regular expression of Prometheus ({why})') from None
