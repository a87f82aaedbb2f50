"""What holds where neither rollout nor policy says anything; the policy's schema carries the same values."""

from __future__ import annotations

from typing import Final

DEFAULTS: Final[dict[str, object]] = {
    "mode": "Enforce",
    "gate": "Admission",
    "alphaRevert": "0.01",
    "evidence": {"advance": "1.0", "promoteContinuous": "2.5", "promoteCounts": "3.0"},
    "weights": {
        "latency": "0.45",
        "errors": "0.20",
        "tail": "0.12",
        "restarts": "0.12",
        "slow": "0.06",
        "neighbour": "0.05",
    },
    "windowWeights": {"first": "0.6"},
    "history": "1h",
    "warmUp": 4,
    "blackout": 2,
    "minCompleteness": "95%",
    "arms": {"minPods": 3, "baselineRatio": "1", "baselineMaxShare": 20, "prePeriod": "0s"},
    "readyTimeout": "5m",
    "blockedTimeout": "30m",
    "bake": "10m",
    "rollbackWindow": "24h",
    "onInconclusive": "Pause",
    "freeze": [],
    "probe": "None",
    "switchback": {
        "after": 10,
        "probes": 1,
        "cycles": 6,
        "shortest": 6,
        "longest": 12,
        "budget": "0.3",
    },
    "stages": [
        {"weight": 5, "minDuration": "5m", "maxDuration": "30m"},
        {"weight": 25, "minDuration": "5m", "maxDuration": "30m"},
        {"weight": 50, "minDuration": "10m", "maxDuration": "1h"},
    ],
    "metrics": [
        {"name": "latency", "latency": {"histogram": "http_server_request_duration_seconds"}},
        {"name": "errors", "errors": {"counter": "http_server_requests_total", "bad": [{"code": "5.."}]}},
        {"name": "restarts", "restarts": {}},
    ],
}

NULL_BELOW: Final = "2%"

WARN_ABOVE: Final = "10%"
"""Growth of a footprint that is worth a warning."""

MARGINS: Final[dict[str, dict[str, str]]] = {
    "latency": {
        "revertAbove": "5%",
        "nullBelow": NULL_BELOW,
        "promoteBelow": "10%",
        "gating": "Both",
    },
    "errors": {
        "revertAbove": "25%",
        "promoteBelow": "50%",
        "revertAbovePoints": "0.1%",
        "promoteBelowPoints": "0.3%",
        "gating": "Both",
    },
    "slow": {
        "revertAbove": "50%",
        "promoteBelow": "150%",
        "revertAbovePoints": "0%",
        "promoteBelowPoints": "0%",
        "gating": "RevertOnly",
    },
    "restarts": {
        "revertAbove": "100%",
        "promoteBelow": "100%",
        "gating": "RevertOnly",
    },
    "footprint": {"gating": "ReportOnly"},
}
"""What holds of a metric that says nothing of its own, by its source."""
