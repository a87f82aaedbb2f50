"""What releases did to the service: how they ended, what they cost, and what is under way.

No panel needs a word of statistics: an interval is where the effect may lie.
"""

from e2e.chart.dashboards.grafana import (
    AMBER,
    COUNT,
    RED,
    SHARE,
    Choice,
    Dashboard,
    Panel,
    Query,
    Row,
)
from e2e.chart.dashboards.promql import ended, now

HARM = 'reason=~"HarmProven|NeighbourHarm|BackendHarm"'
REVERTED = 'outcome="Reverted"'
RELEASES = 'outcome!="AATested"'
"""A test of the service against itself is no release."""

EFFECT = "namespace, rollout, metric"
BOUNDS = (("estimate", "Effect"), ("lower", "At least"), ("upper", "At most"))


def _effect(bound: str) -> str:
    return now("release_effect", f'bound="{bound}"', by=EFFECT)


DASHBOARD = Dashboard(
    uid="causal-rollouts-executives",
    title="Causal rollouts: executives",
    says="How releases ended, what those that run do to the service, and how far they have come.",
    since="now-30d",
    choices=(
        Choice("namespace", "causal_rollouts_rollout_phase"),
        Choice("rollout", 'causal_rollouts_rollout_phase{namespace=~"$namespace"}'),
    ),
    parts=(
        Row("How releases ended, over the time chosen above"),
        Panel(
            "stat",
            "Releases that ended",
            "All but A/A tests, however they ended.",
            COUNT,
            (Query(ended(RELEASES)),),
            width=6,
            height=4,
        ),
        Panel(
            "stat",
            "Promoted",
            "Releases that now have all the traffic.",
            COUNT,
            (Query(ended('outcome="Promoted"')),),
            width=6,
            height=4,
        ),
        Panel(
            "stat",
            "Reverted for harm",
            "Releases that were taken back because they made latency, errors or another metric worse, as the "
            "evidence has it. Others were taken back because they crashed, were late or were aborted.",
            COUNT,
            (Query(ended(REVERTED, HARM)),),
            width=6,
            height=4,
        ),
        Panel(
            "stat",
            "Share reverted for harm",
            "Of all releases that ended. At most the declared error budget (1% unless a policy says "
            "otherwise) of harmless releases is among the reverted ones.",
            SHARE,
            (Query(f"{ended(REVERTED, HARM)} / {ended(RELEASES)}"),),
            width=6,
            height=4,
        ),
        Panel(
            "bargauge",
            "Releases by outcome",
            "How releases ended; an A/A test is the service against itself.",
            COUNT,
            (Query(ended(by="outcome"), "{{outcome}}"),),
        ),
        Panel(
            "table",
            "Why releases ended",
            "The outcome of each service's releases and the reason of the decision that ended them.",
            COUNT,
            (Query(ended(by="namespace, rollout, outcome, reason"), column="Releases"),),
            labels=("namespace", "rollout", "outcome", "reason"),
        ),
        Panel(
            "timeseries",
            "Releases that ended in the day before",
            "A count over the last 24 hours at each moment.",
            COUNT,
            (Query(ended(RELEASES, by="outcome", window="1d"), "{{outcome}}"),),
            width=24,
            height=6,
        ),
        Row("Releases in progress"),
        Panel(
            "stat",
            "In progress now",
            "Releases that have begun and not ended.",
            COUNT,
            (Query(f"count({now('release_step')})"),),
            width=6,
            height=4,
        ),
        Panel(
            "table",
            "How far they have come",
            "The stage of its ladder that each release is in, and the share of the traffic that its "
            "candidate has.",
            COUNT,
            (
                Query(now("release_step"), column="Stage"),
                Query(now("release_weight", 'arm="canary"'), column="Traffic"),
            ),
            width=18,
            height=6,
            labels=("namespace", "rollout"),
            units={"Traffic": SHARE},
        ),
        Panel(
            "timeseries",
            "Traffic of the candidates",
            "Share of the traffic that the new version of each service has. It rises only on evidence.",
            SHARE,
            (Query(now("release_weight", 'arm="canary"'), "{{namespace}}/{{rollout}}"),),
        ),
        Panel(
            "bargauge",
            "Risk: how near each release is to being reverted",
            "Evidence for harm as a share of what reverts a release. At 100% it is reverted by itself.",
            SHARE,
            (
                Query(
                    f"clamp_min({now('release_harm_nats')}, 0) / {now('release_harm_budget_nats')}",
                    "{{namespace}}/{{rollout}}",
                ),
            ),
            limits=((AMBER, 0.5), (RED, 1.0)),
        ),
        Row("What they do to the service, and what they cost"),
        Panel(
            "table",
            "Effects of releases in progress",
            "What the new version caused, as a share of what the old one shows beside it: +10% latency is a "
            "tenth slower. Between the two bounds is where the effect may lie; without data there is none.",
            SHARE,
            tuple(Query(_effect(bound), column=heading) for bound, heading in BOUNDS),
            labels=("namespace", "rollout", "metric"),
        ),
        Panel(
            "table",
            "SLO impact: what users of the whole service feel",
            "The effect on those that the candidate serves, spread over all: its effect times its share of "
            "the traffic. For errors +10% is an error budget that burns a tenth faster than without it.",
            SHARE,
            tuple(
                Query(
                    _effect(bound)
                    + " * on (namespace, rollout) group_left () "
                    + now("release_weight", 'arm="canary"'),
                    column=heading,
                )
                for bound, heading in BOUNDS
            ),
            labels=("namespace", "rollout", "metric"),
        ),
        Panel(
            "table",
            "Cost: what a request or pod uses more",
            "Growth of processor time, memory or calls for each request or pod of the new version. It is as "
            "of the newest decision on record. Footprints have to be named in the rollout.",
            SHARE,
            tuple(
                Query(
                    now("release_footprint", f'bound="{bound}"', by="namespace, rollout, footprint"),
                    column=heading,
                )
                for bound, heading in BOUNDS
            ),
            labels=("namespace", "rollout", "footprint"),
        ),
    ),
)
