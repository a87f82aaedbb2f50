"""Between a recorded CausalRollout and the registration that the gate works with.

A recording holds what the user applied, so a replay goes through the same
resolution as a live release and cannot mean something else by the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby

from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.rows import BadRecording, mapping
from causal_rollouts.api.resolve import Unresolvable, resolve
from causal_rollouts.api.v1alpha1_segments import MOST_VALUES
from causal_rollouts.decision.freeze import instant
from causal_rollouts.model.freeze import Span, Window
from causal_rollouts.model.metrics import Matcher, Metric, MetricKind
from causal_rollouts.model.reference import Reference
from causal_rollouts.model.registration import Registration, Stage
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import ROUTE_FIELDS


def registration(recording: Recording) -> Registration:
    """What the release of a recording had registered.

    Raises:
        BadRecording: the manifest cannot be run; every problem with its field and fix.
    """
    where = "rollout.yaml"
    metadata = mapping(recording.manifest.get("metadata") or {}, f"{where}.metadata")
    spec = mapping(recording.manifest.get("spec") or {}, f"{where}.spec")
    try:
        made = resolve(
            spec,
            None,
            namespace=str(metadata.get("namespace", "default")),
            release=recording.run.release or f"{metadata.get('name', 'rollout')}-1",
            seed=recording.run.seed,
            grid=recording.run.grid,
        ).registration
    except Unresolvable as error:
        raise BadRecording("\n".join(f"{where}: {problem}" for problem in error.problems)) from None
    return replace(made, scatter=recording.run.scatter)


def manifest(reg: Registration) -> dict[str, object]:
    """A CausalRollout that resolves to this registration, everything said, nothing left to defaults."""
    spec: dict[str, object] = {
        "targetRef": {"name": reg.target},
        "traffic": _traffic(reg),
        "mode": str(reg.mode),
        "stages": [
            {
                "weight": stage.weight // 10,
                "minDuration": _duration(stage.min_duration),
                "maxDuration": _duration(stage.max_duration),
                **_approval(stage),
                **_holds(stage),
            }
            for stage in reg.stages
        ],
        "metrics": [
            {**_metric(m), **_segments([s for s in reg.segments if s.source == m.name])} for m in reg.metrics
        ],
        **_design(reg),
        **_reference(reg.reference),
    }
    return {
        "apiVersion": "causalrollouts.dev/v1alpha1",
        "kind": "CausalRollout",
        "metadata": {"name": reg.target, "namespace": reg.namespace},
        "spec": spec,
    }


def _traffic(reg: Registration) -> dict[str, object]:
    """A recording without a route gets one of the target's name: a manifest must name one."""
    if reg.traffic.workers:
        return {"podShare": {}}
    if reg.traffic.pod_share:
        return {"service": reg.traffic.service, "podShare": {}}
    routes = reg.traffic.routes or (("HTTPRoute", reg.target),)
    named = {
        field: [{"name": name} for kind, name in routes if ROUTE_FIELDS[kind] == field]
        for field in ROUTE_FIELDS.values()
    }
    return {
        "service": reg.traffic.service or reg.target,
        **{field: listed for field, listed in named.items() if listed},
    }


def _design(reg: Registration) -> dict[str, object]:
    budget, times = reg.budget, reg.times
    return {
        "alphaRevert": _decimal(budget.alpha),
        "evidence": {
            "advance": _decimal(budget.advance),
            "promoteContinuous": _decimal(budget.promote_continuous),
            "promoteCounts": _decimal(budget.promote_counts),
        },
        "weights": {str(kind): _decimal(weight) for kind, weight in budget.kinds},
        "windowWeights": {"first": _decimal(budget.first_window)},
        "history": _duration(times.history),
        "warmUp": times.warm_up,
        "blackout": times.blackout,
        "minCompleteness": _percent(reg.min_completeness),
        "arms": {
            "minPods": reg.arms.min_pods,
            "baselineRatio": _decimal(reg.arms.baseline_ratio),
            "baselineMaxShare": reg.arms.baseline_max_share // 10,
            "prePeriod": _duration(reg.arms.pre_period),
        },
        "readyTimeout": _duration(times.ready_timeout),
        "blockedTimeout": _duration(times.blocked_timeout),
        "bake": _duration(times.bake),
        "rollbackWindow": _duration(times.rollback_window),
        "onInconclusive": str(reg.on_inconclusive),
        "freeze": [_freeze(window) for window in reg.freeze],
        **_probe(reg.probe),
    }


def _reference(named: Reference | None) -> dict[str, object]:
    return {} if named is None else {"reference": {"kind": str(named.kind), "name": named.name}}


def _approval(stage: Stage) -> dict[str, object]:
    if not stage.approvals:
        return {}
    return {"approval": {"required": stage.approvals, "expires": _duration(stage.approval_expires)}}


def _holds(stage: Stage) -> dict[str, object]:
    given = {"holdBefore": stage.hold_before, "holdAfter": stage.hold_after}
    return {
        name: {"by": list(hold.by), "expires": _duration(hold.expires)}
        for name, hold in given.items()
        if hold is not None
    }


def _freeze(window: Window) -> dict[str, str]:
    if isinstance(window, Span):
        return {"from": instant(window.start), "to": instant(window.end)}
    return {"cron": window.cron, "duration": _duration(window.duration), "timeZone": window.time_zone}


def _probe(plan: Switchback | None) -> dict[str, object]:
    if plan is None:
        return {"probe": "None"}
    legs = {"cycles": plan.cycles, "shortest": plan.shortest, "longest": plan.longest}
    bounds = {"after": plan.after, "probes": plan.probes, "budget": _decimal(plan.share)}
    return {"probe": "Switchback", "switchback": {**legs, **bounds}}


def _metric(metric: Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        **_source(metric),
        **_margins(metric),
        **({} if metric.kind is MetricKind.FOOTPRINT else {"gating": str(metric.gating)}),
    }


def _segments(parts: list[Metric]) -> dict[str, object]:
    """Neighbours that are cut alike stand together, as many as a manifest lets."""
    cuts: list[dict[str, object]] = []
    for (axis, label, gating), group in groupby(parts, _cut):
        values = [part.segment.value for part in group if part.segment]
        by = {"label": label} if label else {"node": axis}
        cuts += [
            {**by, "values": values[i : i + MOST_VALUES], "gating": gating}
            for i in range(0, len(values), MOST_VALUES)
        ]
    return {"segments": cuts} if cuts else {}


def _cut(part: Metric) -> tuple[str, str, str]:
    segment = part.segment
    return (str(segment.axis), segment.label, str(part.gating)) if segment else ("", "", "")


def _source(metric: Metric) -> dict[str, object]:
    ignore = {"ignore": _matchers(metric.ignore)} if metric.ignore else {}
    match metric.kind:
        case MetricKind.LATENCY:
            return {"latency": {"histogram": metric.series, **ignore}}
        case MetricKind.SLOW | MetricKind.TAIL if metric.share:
            return {"slow": {"histogram": metric.series, "share": _percent(metric.share), **ignore}}
        case MetricKind.SLOW | MetricKind.TAIL:
            return {"slow": {"histogram": metric.series, "over": f"{round(1000 * metric.over)}ms", **ignore}}
        case MetricKind.ERRORS:
            of = {"of": metric.of} if metric.of else {}
            bad = {"bad": _matchers(metric.bad)} if metric.bad else {}
            return {"errors": {"counter": metric.series, **of, **bad, **ignore}}
        case MetricKind.FOOTPRINT:
            return {"footprint": _footprint(metric)}
        case _:
            return {"restarts": {}}


def _footprint(metric: Metric) -> dict[str, str]:
    used = {"counter": metric.series, "per": metric.of} if metric.of else {"gauge": metric.series}
    room = {} if metric.headroom is None else {"headroom": _percent(metric.headroom)}
    waits = {"overHeadroom": "Hold"} if metric.waits else {}
    return {**used, "warnAbove": _percent(metric.margins.revert_above), **room, **waits}


def _margins(metric: Metric) -> Mapping[str, str]:
    """Only those that have a meaning for its kind: the API server refuses the others."""
    margins = metric.margins
    both = {"revertAbove": _percent(margins.revert_above), "promoteBelow": _percent(margins.promote_below)}
    match metric.kind:
        case MetricKind.LATENCY:
            return {**both, "nullBelow": _percent(margins.null_below)}
        case MetricKind.RESTARTS:
            return both
        case MetricKind.FOOTPRINT:
            return {}
        case _:
            return {
                **both,
                "revertAbovePoints": _percent(margins.revert_above_points),
                "promoteBelowPoints": _percent(margins.promote_below_points),
            }


def _matchers(matchers: tuple[Matcher, ...]) -> list[dict[str, str]]:
    return [dict(matcher.labels) for matcher in matchers]


def _duration(seconds: float) -> str:
    return f"{round(seconds)}s"


def _percent(fraction: float) -> str:
    return f"{round(100 * fraction, 4):g}%"


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
