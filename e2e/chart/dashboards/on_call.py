"""What a person who was called has to know: what is wrong, where releases stand, if the operator works."""

import functools
import re

import yaml

from e2e.chart.dashboards.grafana import (
    AMBER,
    COUNT,
    GREEN,
    NATS,
    RED,
    SECONDS,
    SHARE,
    Choice,
    Dashboard,
    Panel,
    Query,
    Row,
    Text,
)
from e2e.chart.dashboards.promql import PREFIX, grown, now
from e2e.chart.helm import CHART

RUNBOOKS = "docs/runbooks/"
"""As in the alerts; the chart puts `prometheusRule.runbooks` in its place."""

OF_OBJECTIVES = {"CausalRolloutBurnsBudget": "page", "CausalRolloutBudgetBurnsBeside": "ticket"}
"""Severities of the alerts that the chart makes for each objective in its values."""

RULES = [
    *(
        rule
        for group in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    ),
    *({"alert": alert, "labels": {"severity": severity}} for alert, severity in OF_OBJECTIVES.items()),
]
WHICH = "{{namespace}}/{{rollout}}"
BAD = ('type=~"Supported|EvidenceValid|TrafficApplied|FootprintSteady|Notified"', 'type=~"Stalled|Queued"')
"""Conditions that shall be true, and those that shall not; Ready is Unknown in every release."""

OURS = 'alertname=~"CausalRollouts?[A-Z].+", alertstate="firing"'
FIRING = f'ALERTS{{{OURS}, namespace=~"$namespace|", rollout=~"$rollout|"}}'
"""Of the chosen rollouts, and those of the operator itself, which name none."""


def page(alert: str) -> str:
    """`CausalRolloutPaused` is explained in `causal-rollout-paused`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alert).lower()


def firing() -> str:
    """PromQL cannot lower a letter, so each alert is told its page."""
    named = functools.reduce(
        lambda expr, rule: (
            f'label_replace({expr}, "runbook", "{page(rule["alert"])}", "alertname", "{rule["alert"]}")'
        ),
        RULES,
        FIRING,
    )
    return f"max by (severity, alertname, namespace, rollout, runbook) ({named})"


def runbooks() -> str:
    lines = (
        f"- [{rule['alert']}](${{runbooks}}{page(rule['alert'])}.md) ({_severity(rule)})" for rule in RULES
    )
    return "\n".join(lines)


def _severity(rule: dict[str, dict[str, str]]) -> str:
    return rule["labels"]["severity"]


def conditions() -> str:
    by = "namespace, rollout, type, reason"
    true, false = BAD
    fails = now("rollout_condition", true, by=by, only="== 0")
    stands = now("rollout_condition", false, by=by, only="== 1")
    return f"{fails} or {stands}"


TROUBLE = (
    Row("What is wrong"),
    Panel(
        "table",
        "Firing alerts",
        "Alerts on the rollouts chosen above and on the operator; the last column opens what to do. page: "
        "traffic may be at risk and nobody acts on it. ticket: a person should look today.",
        COUNT,
        (Query(firing()),),
        width=16,
        labels=("severity", "alertname", "namespace", "rollout", "runbook"),
        links=(("runbook", "${runbooks:raw}${__data.fields.runbook}.md"),),
    ),
    Text(
        "Runbooks",
        "A page for each alert. Set their address above where links lead nowhere.",
        runbooks(),
        width=8,
    ),
    Panel(
        "table",
        "Conditions that do not hold",
        "Why a rollout cannot begin or go on, by the reason that `causal-rollouts explain` spells out. "
        "TrafficApplied is false for a moment in every change of weights.",
        COUNT,
        (Query(conditions()),),
        labels=("namespace", "rollout", "type", "reason"),
    ),
    Panel(
        "table",
        "Where each rollout stands",
        "Phase and verdict of the newest look, the stage of its ladder, and the traffic of its candidate.",
        COUNT,
        (
            Query(now("rollout_phase", by="namespace, rollout, phase", only="== 1")),
            Query(now("rollout_verdict", by="namespace, rollout, verdict", only="== 1")),
            Query(now("release_step"), column="Stage"),
            Query(now("release_weight", 'arm="canary"'), column="Traffic"),
        ),
        labels=("namespace", "rollout", "phase", "verdict"),
        units={"Traffic": SHARE},
    ),
)

RELEASES = (
    Row("Releases over time"),
    Panel(
        "state-timeline",
        "Phase",
        "Each phase that a rollout was in, and when. Paused waits for a person, Reverting brings weights "
        "home.",
        COUNT,
        (
            Query(
                now("rollout_phase", by="namespace, rollout, phase", only="== 1"),
                "{{namespace}}/{{rollout}} {{phase}}",
            ),
        ),
        words=((1, "in it", GREEN),),
    ),
    Panel(
        "state-timeline",
        "Verdict",
        "What the evidence said. Safe lets traffic rise, Harm reverts, all others hold.",
        COUNT,
        (
            Query(
                now("rollout_verdict", by="namespace, rollout, verdict", only="== 1"),
                "{{namespace}}/{{rollout}} {{verdict}}",
            ),
        ),
        words=((1, "said", AMBER),),
    ),
    Panel(
        "timeseries",
        "Weights of the arms",
        "Share of the traffic that each arm shall have. After a revert there is none but stable.",
        SHARE,
        (Query(now("release_weight", by="namespace, rollout, arm"), "{{namespace}}/{{rollout}} {{arm}}"),),
    ),
    Panel(
        "timeseries",
        "Stage",
        "Stage of the ladder, from 1; 0 before the first.",
        COUNT,
        (Query(now("release_step"), WHICH),),
    ),
    Panel(
        "timeseries",
        "Evidence for harm against the error budget",
        "Of all metrics together. Where a line reaches its budget the release is reverted by itself; 0 also "
        "stands for evidence against harm.",
        NATS,
        (
            Query(f"clamp_min({now('release_harm_nats')}, 0)", WHICH),
            Query(now("release_harm_budget_nats"), f"{WHICH} budget"),
        ),
        width=24,
    ),
)

OPERATOR = (
    Row("The operator"),
    Panel(
        "stat",
        "Copies that lead",
        "One works. None: nothing moves and new templates wait. Two: the one that lost its lease steps down "
        "within seconds, and what it writes meanwhile is refused.",
        COUNT,
        (Query(f"sum({PREFIX}leader)"),),
        width=6,
        height=6,
        words=((0, "none", RED), (1, "1", GREEN)),
        nothing="no operator is scraped",
    ),
    Panel(
        "timeseries",
        "Longest wait in the queue",
        "How late the most overdue rollout is. After three minutes the operator is restarted.",
        SECONDS,
        (Query(f"max by (instance) ({PREFIX}queue_oldest_seconds)", "{{instance}}"),),
        width=9,
        height=6,
        limits=((RED, 120.0),),
    ),
    Panel(
        "timeseries",
        "Rollouts in the queue, and passes",
        "Rollouts that the operator knows, and how many it looks at in a second.",
        COUNT,
        (
            Query(f"max by (instance) ({PREFIX}queue_depth)", "{{instance}} rollouts"),
            Query(
                f"sum by (instance) (rate({PREFIX}passes[$__rate_interval]))", "{{instance}} passes a second"
            ),
        ),
        width=9,
        height=6,
    ),
    Panel(
        "timeseries",
        "What failed",
        "Passes that failed, and records that could not be written: what is not written is not done.",
        COUNT,
        (
            Query(grown("pass_failures_total", by="namespace, rollout, kind"), f"{WHICH} pass {{{{kind}}}}"),
            Query(
                grown("record_write_failures_total", by="namespace, rollout, kind"),
                f"{WHICH} record {{{{kind}}}}",
            ),
        ),
    ),
    Panel(
        "table",
        "Notices that were given up",
        "By channel and kind, over the time chosen above: people who were to be told were not.",
        COUNT,
        (
            Query(
                f"sum by (channel, kind) (increase({PREFIX}notices_dropped_total[$__range])) > 0",
                column="Notices",
            ),
        ),
        width=6,
        labels=("channel", "kind"),
    ),
    Panel(
        "timeseries",
        "Notices in line",
        "Notices that an endpoint has not taken yet, and attempts that failed.",
        COUNT,
        (
            Query(f"sum by (channel) ({PREFIX}notices_waiting)", "{{channel}} waiting"),
            Query(
                f"sum by (channel) (increase({PREFIX}notices_failed_total[$__rate_interval]))",
                "{{channel}} failed",
            ),
        ),
        width=6,
    ),
)

DASHBOARD = Dashboard(
    uid="causal-rollouts-on-call",
    title="Causal rollouts: on call",
    says="What is wrong and what to do about it, where each release stands, and whether the operator works.",
    since="now-6h",
    choices=(
        Choice("namespace", f"{PREFIX}rollout_phase"),
        Choice("rollout", f'{PREFIX}rollout_phase{{namespace=~"$namespace"}}'),
    ),
    inputs=(("runbooks", RUNBOOKS),),
    parts=(*TROUBLE, *RELEASES, *OPERATOR),
)
