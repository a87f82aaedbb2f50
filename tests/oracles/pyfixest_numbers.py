"""What pyfixest says of the panels of this directory, written down because it is too heavy for `make test`.

`make oracles` runs this in an environment of its own and fails where the numbers moved.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyfixest as pf
from panels import long, staggered, two_groups

FROZEN = Path(__file__).parent / "pyfixest.json"
PLAIN = pf.ssc(k_adj=False, G_adj=False)
SAME = 1e-8


def two_way(seed):
    y, treated, after = two_groups(seed=seed)
    table = long(y, treated=treated.astype(int))
    table["on"] = table["treated"] * after[table["time"]]
    fits = {
        kind: pf.feols("y ~ on | unit + time", table, vcov={kind: "unit"}, ssc=PLAIN)
        for kind in ("CRV1", "CRV3")
    }
    return {
        "estimate": float(fits["CRV1"].coef()["on"]),
        "cr0": float(fits["CRV1"].se()["on"]),
        "cr3": float(fits["CRV3"].se()["on"]),
    }


def leads_and_lags():
    y, treated, _ = two_groups(times=7)
    table = long(y, treated=treated.astype(int))
    fit = pf.feols("y ~ i(time, treated, ref=3) | unit + time", table)
    return [float(value) for value in fit.coef()]


def two_stages(seed):
    y, start = staggered(seed)
    never = np.isinf(start)
    table = long(y, first=np.where(never, 0, start).astype(int))
    table["on"] = (table["first"] > 0) & (table["time"] >= table["first"])
    fit = pf.did2s(
        table,
        yname="y",
        first_stage="~ 0 | unit + time",
        second_stage="~ i(on, ref=False)",
        treatment="on",
        cluster="unit",
    )
    return float(fit.coef().iloc[-1])


def numbers():
    return {
        "two_way": {str(seed): two_way(seed) for seed in range(3)},
        "leads_and_lags": leads_and_lags(),
        "two_stages": {str(seed): two_stages(seed) for seed in range(3)},
    }


def leaves(value):
    """All numbers of a nested value, in order."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]


def main():
    """Write the numbers, or with --check compare them with what is written."""
    found = numbers()
    if "--check" not in sys.argv:
        FROZEN.write_text(json.dumps(found, indent=1) + "\n")
        return 0
    ours, theirs = leaves(json.loads(FROZEN.read_text())), leaves(found)
    apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    said = f"pyfixest {pf.__version__}: {len(theirs)} numbers, largest difference from the frozen ones"
    print(f"{said} {apart:.1e}")  # noqa: T201 - a program for a terminal
    return int(apart > SAME)


if __name__ == "__main__":
    sys.exit(main())
