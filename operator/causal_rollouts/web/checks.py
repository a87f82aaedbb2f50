"""Whether the comparison itself may be believed: each check of data and design beside its bound."""

from __future__ import annotations

import math
from html import escape

from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.percent import percent
from causal_rollouts.web.figure import figure
from causal_rollouts.web.forest import Estimate, Forest
from causal_rollouts.web.plot import Mark
from causal_rollouts.web.table import table

SAYS = {True: "holds", False: "fails", None: "not yet known"}
HEAD = ("Check", "Value", "Bound", "Says")
BEST = {CheckName.OVERLAP: 1.0, CheckName.AGE: 1.0}
"""Value of a check at which nothing is amiss, where that is not 0."""

WIDEST = 150.0


def checks(e: Evidence | None, least_complete: float, name: str) -> str:
    """HTML, "" without evidence. name: as `figure` has it."""
    if e is None:
        return ""
    rows = [
        ("Completeness", f"{e.completeness:.1%}", f"{least_complete:.0%} or more", ""),
        ("SampleRatio", f"{e.share.observed:.2%}", f"{e.share.intended:.2%}", SAYS[e.share.ok]),
        ("Placebo", f"{_nats(e.placebo)} nats", f"below {_nats(e.placebo_threshold)}", ""),
        ("SharedLevel", percent(e.shared), f"at most {percent(e.shared_margin)}", ""),
    ]
    for check in e.checks:
        value = f"{check.value:.3g}" if math.isfinite(check.value) else "unknown"
        rows.append((check.name, value, f"{check.bound:.3g}", f"{SAYS[check.ok]}: {check.note}"))
    cells = [tuple(escape(cell) for cell in row) for row in rows]
    picture = figure(_room_left(e, least_complete), name)
    return f"<h3>May the comparison be believed?</h3>{picture}{table(HEAD, cells)}"


def _room_left(e: Evidence, least_complete: float) -> Forest:
    used = {
        "Completeness": (1.0 - e.completeness, 1.0 - least_complete),
        "Placebo": (e.placebo, e.placebo_threshold),
        "SharedLevel": (e.shared, e.shared_margin),
        **{str(check.name): _from_best(check) for check in e.checks},
    }
    failed = {str(check.name) for check in e.checks if check.ok is False}
    rows = [_row(name, value, bound, failed=name in failed) for name, (value, bound) in used.items()]
    return Forest(
        title="How much of its bound each check uses",
        unit="%",
        summary="At 0% all is as it should be, beyond 100% a check fails: "
        + "; ".join(f"{row.label} {row.said}" for row in rows)
        + ".",
        rows=rows,
        low=0.0,
        high=WIDEST,
        marks=[Mark("bound", 100.0, "bad")],
    )


def _row(name: str, value: float, bound: float, *, failed: bool) -> Estimate:
    share = max(0.0, 100.0 * value / bound) if bound > 0 and not math.isnan(value) else math.nan
    share = 0.0 if value == -math.inf else share
    said = "unknown" if math.isnan(share) else f"{share:.0f}%"
    look = "bad" if failed or share > 100.0 else "good"
    return Estimate(name, share, 0.0, share, said, look)


def _from_best(check: Check) -> tuple[float, float]:
    best = BEST.get(check.name, 0.0)
    return abs(check.value - best), abs(check.bound - best)


def _nats(evidence: float) -> str:
    return f"{evidence:.1f}" if math.isfinite(evidence) else "none"
