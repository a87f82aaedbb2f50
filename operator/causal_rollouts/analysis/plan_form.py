"""A plan as JSON has it."""

from __future__ import annotations

from causal_rollouts.analysis.plan import ASSUMED, Detectable, Fate, MetricPlan, Plan, StagePlan, told
from causal_rollouts.analysis.plan_knobs import Shortfall


def plain(plan: Plan) -> dict[str, object]:
    """Everything; null where a figure is infinite or unknown."""
    return {
        "pods": plan.pods,
        "nodes": plan.nodes,
        "historyMinutes": plan.history_minutes,
        "alphaRevert": plan.alpha,
        "prePeriodMinutes": plan.pre_period_minutes,
        "probeMinutes": plan.probe_minutes,
        "harmless": {
            "promoted": plan.promoted,
            "paused": plan.paused,
            "reverted": plan.reverted,
            "minutesMedian": None if plan.minutes is None else plan.minutes[0],
            "minutes90": None if plan.minutes is None else plan.minutes[1],
        },
        "stages": [_stage(stage) for stage in plan.stages],
        "metrics": [_metric(metric) for metric in plan.metrics],
        "unreachable": [_shortfall(one) for one in plan.shortfalls],
        "assumed": list(ASSUMED),
    }


def _stage(stage: StagePlan) -> dict[str, object]:
    return {
        "weight": stage.weight,
        "baselineWeight": stage.baseline_weight,
        "canaries": stage.canaries,
        "baselines": stage.baselines,
        "pureNodes": stage.pure,
        "pureControls": stage.controls,
        "fallback": stage.fallback,
        "minMinutes": stage.min_minutes,
        "maxMinutes": stage.max_minutes,
        "goesOn": stage.goes_on,
        "minutesUntilHalfGoOn": stage.after,
    }


def _metric(metric: MetricPlan) -> dict[str, object]:
    return {
        "name": metric.name,
        "kind": str(metric.kind),
        "gating": str(metric.gating),
        "budgetShare": metric.share,
        "threshold": metric.threshold,
        "baseRate": metric.base,
        "stages": [_detectable(one) for one in metric.stages],
        "fates": [_fate(one) for one in metric.fates],
    }


def _detectable(one: Detectable) -> dict[str, object]:
    return {"half": one.half, "almost": one.almost, "sd": one.sd, "expectedEvents": one.expected}


def _fate(one: Fate) -> dict[str, object]:
    return {
        "effect": one.effect,
        "reverted": one.reverted,
        "paused": one.paused,
        "promoted": one.promoted,
        "minutesToRevert": one.minutes,
    }


def _shortfall(one: Shortfall) -> dict[str, object]:
    return {
        "metric": one.name,
        "what": "promotion" if one.promotion else "detection",
        "effect": None if one.promotion else told(one.kind, one.effect),
        "share": one.share,
        "knobs": [
            {"setting": turn.setting, "value": turn.value, "share": turn.share, "reached": turn.reached}
            for turn in one.turns
        ],
    }
