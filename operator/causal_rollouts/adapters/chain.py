"""The chain of a rollout's records, computed again from what stands in them.

Each final record carries the digest of itself, and each record names the one
before it with that one's digest. Old records are deleted in the end, so a chain
begins somewhere; from there on nothing may be changed, missing or slipped in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from causal_rollouts.adapters.kube import Object
from causal_rollouts.adapters.reading import name, section
from causal_rollouts.adapters.record_form import digest


class Link(StrEnum):
    """What was found of one record."""

    INTACT = "Intact"
    BEGINS = "Begins"
    RUNNING = "Running"
    ALTERED = "Altered"
    UNLINKED = "Unlinked"
    UNSEALED = "Unsealed"


BAD = frozenset({Link.ALTERED, Link.UNLINKED, Link.UNSEALED})


@dataclass(frozen=True, slots=True)
class Checked:
    """One record of the chain. digest: as computed now, "" while it runs."""

    name: str
    rollout: str
    link: Link
    said: str
    digest: str = ""

    @property
    def bad(self) -> bool:
        """It is not what the operator left, or does not follow what is there before it."""
        return self.link in BAD

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "name": self.name,
            "rollout": self.rollout,
            "link": str(self.link),
            "message": self.said,
            "digest": self.digest,
        }


def checked(records: Sequence[Object]) -> tuple[Checked, ...]:
    """All records of one rollout, oldest first, each against itself and the one before it."""
    ordered = sorted(records, key=number)
    return tuple(_one(obj, ordered[i - 1] if i else None) for i, obj in enumerate(ordered))


def number(obj: Object) -> int:
    """`checkout-7` -> 7."""
    last = name(obj).rpartition("-")[2]
    return int(last) if last.isdigit() else 0


def _one(obj: Object, before: Object | None) -> Checked:
    spec, status = section(obj, "spec"), section(obj, "status")
    rollout, mine = str(spec.get("rollout") or ""), str(status.get("digest") or "")
    found = digest(spec, status) if status.get("final") else ""
    if status.get("final") and not mine:
        said = "it is final and has no digest; its writer was stopped, or somebody took it away"
        return Checked(name(obj), rollout, Link.UNSEALED, said, found)
    if mine != found:
        said = f"its content has digest {found[:12]}, it says {mine[:12]}: it was changed after its end"
        return Checked(name(obj), rollout, Link.ALTERED, said, found)
    link, said = _link(obj, str(spec.get("previous") or ""), before)
    return Checked(name(obj), rollout, link, said, found)


def _link(obj: Object, previous: str, before: Object | None) -> tuple[Link, str]:
    named, _, sealed = previous.partition("@sha256:")
    final = bool(section(obj, "status").get("final"))
    if before is None:
        where = f"the chain begins here, after {named}, which is not here any more" if named else "the first"
        return (Link.BEGINS if final else Link.RUNNING), where
    if named != name(before):
        said = f"it follows {named or 'none'}, and {name(before)} is before it: one between is missing"
        # A rollout that was deleted and made again begins a chain of its own.
        anew = not named and _uid(obj) != _uid(before)
        return (Link.BEGINS, "the first of a rollout that was made anew") if anew else (Link.UNLINKED, said)
    seen = digest(section(before, "spec"), section(before, "status"))
    if sealed and sealed != seen:
        said = f"it follows {named} with digest {sealed[:12]}, and that one has {seen[:12]} now"
        return Link.UNLINKED, said
    return (Link.INTACT if final else Link.RUNNING), f"follows {named}"


def _uid(obj: Object) -> str:
    return str(section(obj, "spec").get("rolloutUid") or "")
