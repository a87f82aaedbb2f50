"""What the gate went by in one release: effects, evidence, and whether the comparison may be believed."""

from e2e.chart.dashboards.grafana import (
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
)
from e2e.chart.dashboards.promql import PREFIX, now

METRIC = 'metric=~"$metric"'
CHECK = 'check=~"$check"'
ONE = 'namespace=~"$namespace", rollout=~"$rollout"'
AS_OF = (
    "As of the newest decision on record that has evidence: a look that changes nothing is not recorded, "
    "so it may be some minutes old."
)
LEAST = -10
"""Evidence against harm or safety may grow without end; below this it tells nothing new."""


def of_metric(name: str, *matchers: str) -> str:
    return now(name, METRIC, *matchers, by="metric")


def nats(expr: str) -> str:
    return f"clamp_min({expr}, {LEAST})"


METRICS = (
    Row("Each metric: effect and evidence"),
    Panel(
        "timeseries",
        "Effect on $metric",
        "What the candidate caused, as a share of the baseline beside it, with its interval. Evidence counts "
        "for harm while the estimate is above the upper dashed line; below the lower one it is safe to "
        "promote.",
        SHARE,
        (
            *(
                Query(of_metric("release_effect", f'bound="{bound}"'), bound)
                for bound in ("estimate", "lower", "upper")
            ),
            Query(of_metric("release_margin", 'of="harm"'), "margin of harm"),
            Query(of_metric("release_margin", 'of="safety"'), "margin of safety"),
        ),
        width=24,
        band=("upper", "lower"),
        dashed=("margin of harm", "margin of safety"),
        repeat="metric",
    ),
    Panel(
        "timeseries",
        "Evidence on $metric",
        "Evidence of harm and of safety, and what safety must reach before traffic rises (advance) and "
        "before the fleet rolls (promote). A metric that only reverts needs none.",
        NATS,
        (
            Query(nats(of_metric("release_evidence_nats", 'of="harm"')), "harm"),
            Query(nats(of_metric("release_evidence_nats", 'of="safety"')), "safety"),
            Query(of_metric("release_safety_needed_nats", 'to="advance"'), "needed to advance"),
            Query(of_metric("release_safety_needed_nats", 'to="promote"'), "needed to promote"),
        ),
        width=24,
        dashed=("needed to advance", "needed to promote"),
        repeat="metric",
    ),
)

TOGETHER = (
    Row("All metrics together, and the traffic meanwhile"),
    Panel(
        "timeseries",
        "Evidence for harm against the error budget",
        "The worst of each metric alone and all of them weighted. The release is reverted where it reaches "
        "the budget.",
        NATS,
        (
            Query(nats(now("release_harm_nats")), "harm"),
            Query(now("release_harm_budget_nats"), "budget"),
        ),
        dashed=("budget",),
    ),
    Panel(
        "timeseries",
        "Weights of the arms",
        "Share of the traffic of each arm: evidence before and after a change of weights is of different "
        "mixtures.",
        SHARE,
        (Query(now("release_weight", by="arm"), "{{arm}}"),),
    ),
    Panel(
        "table",
        "Effects now",
        "Each metric, and the harm to pods beside a canary, as of the newest look.",
        SHARE,
        (
            Query(now("release_effect", METRIC, 'bound="estimate"', by="metric"), column="Effect"),
            Query(now("release_effect", METRIC, 'bound="lower"', by="metric"), column="At least"),
            Query(now("release_effect", METRIC, 'bound="upper"', by="metric"), column="At most"),
        ),
        labels=("metric",),
    ),
    Panel(
        "table",
        "Footprints",
        f"Growth of what each request or pod uses. {AS_OF}",
        SHARE,
        tuple(
            Query(now("release_footprint", f'bound="{bound}"', by="footprint"), column=heading)
            for bound, heading in (("estimate", "Growth"), ("lower", "At least"), ("upper", "At most"))
        ),
        labels=("footprint",),
    ),
)

DESIGN = (
    Row("May the comparison be believed?"),
    Panel(
        "table",
        "Checks of the design",
        "Balance and Overlap of zones and instance types, Age of the pods, PreTrend of their nodes, Load for "
        "each pod, SampleRatio of requests, Placebo among stable pods, Completeness of the data, SharedLevel "
        "of "
        f"everybody against their past. One that cannot be judged has no 1 and no 0. {AS_OF}",
        COUNT,
        (
            Query(now("release_check", CHECK, 'what="value"', by="check"), column="Value"),
            Query(now("release_check", CHECK, 'what="bound"', by="check"), column="Bound"),
            Query(now("release_check_ok", CHECK, by="check"), column="Holds"),
        ),
        width=10,
        height=10,
        labels=("check",),
    ),
    Panel(
        "state-timeline",
        "Which checks held",
        f"A check that fails holds the release as DesignUnsound; a placebo pauses it as Contaminated. "
        f"{AS_OF}",
        COUNT,
        (Query(now("release_check_ok", CHECK, by="check"), "{{check}}"),),
        width=10,
        height=10,
        words=((1, "holds", GREEN), (0, "fails", RED)),
    ),
    Panel(
        "stat",
        "Age of the checks",
        f"Time since the decision that the checks and footprints are of. {AS_OF}",
        SECONDS,
        (Query(f"time() - {now('release_check_timestamp_seconds')}"),),
        width=4,
        height=10,
    ),
    Panel(
        "timeseries",
        "Check $check",
        "The number in the check's own unit (Completeness, Overlap and SampleRatio shares, Placebo nats, "
        "PreTrend and SharedLevel log ratios, Age a factor) beside its bound: Completeness and Overlap shall "
        "be above, "
        f"SampleRatio near, all others below. {AS_OF}",
        COUNT,
        (
            Query(now("release_check", CHECK, 'what="value"', by="check"), "value"),
            Query(now("release_check", CHECK, 'what="bound"', by="check"), "bound"),
        ),
        width=24,
        height=6,
        dashed=("bound",),
        repeat="check",
    ),
)

DASHBOARD = Dashboard(
    uid="causal-rollouts-debug",
    title="Causal rollouts: debug",
    says="What the gate goes by in one release: effects, evidence, and the checks of its own design.",
    since="now-3h",
    choices=(
        Choice("namespace", f"{PREFIX}rollout_phase", one=True),
        Choice("rollout", f'{PREFIX}rollout_phase{{namespace=~"$namespace"}}', one=True),
        Choice("metric", f"{PREFIX}release_margin{{{ONE}}}"),
        Choice("check", f"{PREFIX}release_check{{{ONE}}}"),
    ),
    parts=(*METRICS, *TOGETHER, *DESIGN),
)
