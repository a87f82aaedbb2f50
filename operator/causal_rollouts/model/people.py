"""What people said to a release, as the API server knew them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from causal_rollouts.model.reasons import Act

A_USER = "a user"
"""Who wrote `true`, or a release without a name before it."""

_FORM = re.compile(
    r"^(?:(?P<user>.+?):)?(?P<release>[a-z0-9.-]{1,63})(?:/(?P<step>[0-9]{1,2}))?(?: (?P<reason>.*))?$",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `<user>:<release>`, an approval `<user>:<release>/<step>`, each with words after a space.

    step: as people count, from 1, and 0 before the first; None where none is named.
    """

    user: str
    release: str
    step: int | None = None
    reason: str = ""

    @property
    def who(self) -> str:
        """The person, and why where they said so."""
        return (self.user or A_USER) + (f" ({self.reason})" if self.reason else "")


def read(value: str) -> Asked | None:
    """A request as it was annotated, None where it has another form."""
    found = _FORM.match(value)
    if found is None:
        return None
    step = int(found["step"]) if found["step"] else None
    return Asked(found["user"] or "", found["release"], step, (found["reason"] or "").strip())


def meant_for(value: str) -> str:
    """The release that a request names, "" where it names none."""
    asked = read(value)
    return asked.release if asked is not None else ""


def written(user: str, release: str, *, step: int | None = None, reason: str = "") -> str:
    """The value of an annotation; `read` reads it back."""
    words = " ".join(reason.split())
    who, which = f"{user}:" if user else "", "" if step is None else f"/{step}"
    return f"{who}{release}{which}" + (f" {words}" if words else "")


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to one step. stage: index. act: what waited for it."""

    user: str
    stage: int
    act: Act
    time: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A request that was carried out. value: as it stood in the annotation."""

    time: float
    verb: str
    user: str
    stage: int
    reason: str
    value: str
