"""Who stands how near to a canary: on its node, in its zone, or in neither.

The gate's ring is the node. Where harm reaches further, pods that pass for pure are hurt too, and every
contrast with them is too small; a wider ring shows it, as long as some zone is left without a canary.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.analysis.opinion import Absent, Kind, Opinion, Question
from causal_rollouts.analysis.panel import Design
from causal_rollouts.analysis.phrasing import estimated, variance
from causal_rollouts.model.arms import Arm
from causal_rollouts.stats.change_scores import contrast

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LOCAL = "parallel trends of nodes; spill-over ends at the zone"
NODE, ZONE, PURE = "neighbours on the node", "neighbours in the zone alone", "pure"


def rings(design: Design, names: tuple[str, ...], d: Floats, exposed: Bools) -> list[Opinion | Absent]:
    """Each class with its size and, where there are pure nodes, its change against theirs.

    names, d, exposed: nodes of stable pods, their changes, and whether a canary stands there.
    """
    where = np.array([design.zones[name] for name in names])
    held = {design.zones[node] for node in design.frame.exposed if node in design.zones}
    zone = ~exposed & np.isin(where, sorted(held))
    pure = ~exposed & ~zone
    canaries = [pod for pod in design.born.values() if pod.arm is Arm.CANARY]
    sizes = f"{len(canaries)} slots on {len({pod.node for pod in canaries})} nodes, in zones {_listed(held)}"
    said: list[Opinion | Absent] = [_class("direct: canaries", sizes)]
    for name, mine in ((NODE, exposed), (ZONE, zone)):
        found = contrast(np.where(mine | pure, d, np.nan), mine) if mine.any() and pure.any() else None
        if found is None:
            said.append(_class(name, _size(design, names, mine)))
        else:
            note = f"{_size(design, names, mine)}; {variance(found)}"
            said.append(estimated(Question.NEIGHBOURS, f"{name} against pure", found, LOCAL, note))
    said.append(_class(PURE, _size(design, names, pure)))
    if not pure.any():
        why = (
            "every zone with stable pods holds a canary, so harm that fills a zone is harm to everybody "
            "here; see what everybody saw as the share rose"
        )
        said.append(Absent(Question.NEIGHBOURS, "zone as ring", why))
    return said


def _class(name: str, note: str) -> Opinion:
    return Opinion(Question.NEIGHBOURS, name, Kind.EXACT, "classes are read off the placement", note=note)


def _size(design: Design, names: tuple[str, ...], mine: Bools) -> str:
    nodes = {name for name, there in zip(names, mine.tolist(), strict=True) if there}
    pods = sum(unit.arm is Arm.STABLE and unit.node in nodes for unit in design.frame.units)
    return f"{pods} stable pods on {len(nodes)} nodes"


def _listed(zones: set[str]) -> str:
    return ", ".join(sorted(zone or "unknown" for zone in zones))
