from dataclasses import fields

import pytest

from causal_rollouts.api.defaults import DEFAULTS
from causal_rollouts.api.reach import out_of_reach
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.freeze import Recurring, Span
from causal_rollouts.model.metrics import Gating, Margins, Matcher, MetricKind
from causal_rollouts.model.registration import ArmsPlan, Budget, Hold, Mode, OnInconclusive, Stage, Times
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import TrafficPlan
from tests.unit.api.specs import errors, latency, problems, resolved, spec, stage


def test_the_twelve_lines_resolve_to_the_recipes_defaults():
    """The model's own defaults are the recipe; manifest defaults must not drift from them."""
    registration = resolved().registration
    assert registration.arms == ArmsPlan()
    # The recipe's 120 bins are an hour of the operator's default ones.
    assert registration.times == Times(history=3600.0)
    assert registration.min_completeness == 0.95
    assert (registration.mode, registration.on_inconclusive) == (Mode.ENFORCE, OnInconclusive.PAUSE)
    for field in fields(Budget):
        mine, recipe = (getattr(budget, field.name) for budget in (registration.budget, Budget()))
        assert (sorted(mine) == sorted(recipe)) if field.name == "kinds" else mine == recipe
    assert registration.stages == (
        Stage(50, 300, 1800),
        Stage(250, 300, 1800),
        Stage(500, 600, 3600),
    )
    assert registration.traffic == TrafficPlan("checkout", (("HTTPRoute", "checkout"),), target="checkout")


def test_routes_of_both_kinds_are_named_each_in_its_own_list():
    routes = {"httpRoutes": [{"name": "web"}], "grpcRoutes": [{"name": "web"}, {"name": "calls"}]}
    traffic = resolved(spec(traffic={"service": "checkout", **routes})).registration.traffic
    assert traffic.routes == (("HTTPRoute", "web"), ("GRPCRoute", "web"), ("GRPCRoute", "calls"))
    only = {"service": "checkout", "grpcRoutes": [{"name": "calls"}]}
    assert resolved(spec(traffic=only)).registration.traffic.routes == (("GRPCRoute", "calls"),)


def test_a_service_that_no_route_is_named_for_is_told_with_both_ways_out():
    [text] = problems(spec(traffic={"service": "checkout"}))
    assert text == (
        "spec.traffic: no route is named, so no weight can be set; "
        "name the routes that send to the Service in httpRoutes, grpcRoutes or both, "
        "or say podShare: {} where no route sends to it"
    )


BY_PODS = {"service": "checkout", "podShare": {}}


def test_a_service_without_a_route_shares_by_the_number_of_pods():
    registration = resolved(spec(traffic=BY_PODS, stages=[stage(10), stage(33)])).registration
    assert registration.traffic == TrafficPlan("checkout", (), target="checkout")
    assert registration.traffic.pod_share
    assert registration.arms.pod_share
    assert not resolved().registration.arms.pod_share


def test_workers_of_a_queue_have_no_service():
    asked = spec(traffic={"podShare": {}}, stages=[stage(10), stage(33)], probe="Switchback")
    found = resolved(asked)
    registration = found.registration
    assert registration.traffic == TrafficPlan("", (), target="checkout")
    assert registration.traffic.workers
    assert not registration.traffic.pod_share, "no pod waits at a gate"
    assert registration.arms.pod_share
    assert registration.probe is None, "workers cannot be without work for the length of a leg"
    assert found.effective["probe"] == {"value": "None", "from": "traffic"}
    silent = resolved(spec(traffic={"podShare": {}}, stages=[stage(10)])).effective["probe"]
    assert silent == {"value": "None", "from": "default"}
    assert not resolved(spec(traffic=BY_PODS, stages=[stage(10)])).registration.traffic.workers


def test_a_route_without_a_service_is_told_with_both_ways_out():
    [text] = problems(spec(traffic={"httpRoutes": [{"name": "checkout"}]}))
    assert text == (
        "spec.traffic.service: no Service is named; name the one that the routes send to, "
        "or say podShare: {} and nothing else for workers that take their work from a queue"
    )


def test_pods_and_routes_cannot_both_share():
    [text] = problems(spec(traffic={**BY_PODS, "httpRoutes": [{"name": "checkout"}]}))
    assert text.startswith("spec.traffic.podShare: podShare and routes are both given")


def test_more_than_a_third_is_told_whoever_asked_for_it():
    [mine] = problems(spec(traffic=BY_PODS, stages=[stage(10), stage(34)]))
    assert mine.startswith("spec.stages: a stage has a weight above 33")
    [builtin] = problems(spec(traffic=BY_PODS))
    assert "stages[2].weight: 50 is above 33, the most that podShare can give; give spec.stages" in builtin


def test_without_metrics_latency_errors_and_restarts_are_measured():
    found = {metric.name: metric for metric in resolved().registration.metrics}
    assert found["latency"].margins == Margins(0.05, 0.10, null_below=0.02)
    assert found["latency"].series == "http_server_request_duration_seconds"
    assert found["errors"].margins == Margins(
        0.25, 0.50, revert_above_points=0.001, promote_below_points=0.003
    )
    assert found["errors"].bad == (Matcher((("code", "5.."),)),)
    assert found["restarts"].gating is Gating.REVERT_ONLY
    assert [metric.gating for metric in found.values()].count(Gating.BOTH) == 2


def test_slow_by_share_is_a_tail_and_both_only_revert():
    given = [
        {"name": "slow", "slow": {"histogram": "http_seconds", "over": "500ms"}},
        {"name": "tail", "slow": {"histogram": "http_seconds", "share": "0.15%"}},
        latency(latency={"histogram": "http_seconds", "ignore": [{"route": "/healthz", "verb": "GET"}]}),
        {"name": "failed", "errors": {"counter": "jobs_failed_total", "of": "jobs_total"}},
    ]
    slow, tail, mean, failed = resolved(spec(metrics=given)).registration.metrics
    assert (slow.kind, slow.over, slow.gating) == (MetricKind.SLOW, 0.5, Gating.REVERT_ONLY)
    assert (tail.kind, tail.share, tail.margins) == (MetricKind.TAIL, 0.0015, Margins(0.5, 1.5))
    assert mean.ignore == (Matcher((("route", "/healthz"), ("verb", "GET"))),)
    assert (failed.series, failed.of, failed.bad) == ("jobs_failed_total", "jobs_total", ())


def test_the_rollouts_word_stands_over_the_policys_and_that_over_the_default():
    policy = {"defaults": {"bake": "20m", "history": "40m", "arms": {"minPods": 5, "baselineRatio": "2"}}}
    found = resolved(spec(bake="1h", arms={"minPods": 6}), policy)
    assert found.registration.times.bake == 3600
    assert found.registration.times.history == 2400
    assert found.registration.times.ready_timeout == 300
    assert found.registration.arms == ArmsPlan(6, 2.0, 200)
    said = {name: (line["value"], line["from"]) for name, line in found.effective.items()}
    assert said["bake"] == ("1h", "rollout")
    assert said["history"] == ("40m", "policy")
    assert said["readyTimeout"] == ("5m", "default")
    assert said["arms.minPods"] == (6, "rollout")
    assert said["arms.baselineRatio"] == ("2", "policy")
    assert said["arms.baselineMaxShare"] == (20, "default")


def test_the_effective_spec_says_everything_with_the_margins_in_force():
    said = resolved(spec(metrics=[latency(revertAbove="7%")])).effective
    names = {name.partition(".")[0] for name in said}
    assert names == set(DEFAULTS)
    (line,) = said["metrics"]["value"]
    assert (line["revertAbove"], line["promoteBelow"], line["gating"]) == ("7%", "10%", "Both")


def test_zero_is_a_choice_and_not_an_absent_value():
    found = resolved(spec(warmUp=0, blackout=0, bake="0s"), {"defaults": {"warmUp": 3}}).registration
    assert (found.times.warm_up, found.times.blackout, found.times.bake) == (0, 0, 0)


def test_gate_and_suspend_are_told_apart_from_the_registration():
    assert (resolved().gate, resolved().suspend) == ("Admission", False)
    found = resolved(spec(suspend=True), {"defaults": {"gate": "AlwaysPaused"}})
    assert (found.gate, found.suspend) == ("AlwaysPaused", True)


def test_all_that_is_wrong_is_said_at_once():
    found = problems(
        spec(
            bake="soon",
            mode="Suggest",
            arms={"minPods": 0},
            stages=[stage(90)],
            metrics=[latency(), latency()],
        )
    )
    assert len(found) == 5
    assert (
        "spec.bake: 'soon' has another form; "
        "write a duration in whole units, like 30s, 5m or 1h30m; at most 720h" in found
    )
    assert "spec.stages[0].weight: 90 is too large; use 70 or less" in found
    assert 'spec.metrics: "latency" is named twice; give each a name of its own' in found


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (
            errors(errors={"counter": "c", "bad": [{"code": "5(.."}]}),
            'spec.metrics[0].errors.bad[0].code: "5(.." is no regular expression of Prometheus',
        ),
        (
            errors(errors={"counter": "c", "bad": [{"http code": "5.."}]}),
            'spec.metrics[0].errors.bad[0]: "http code" is no label name',
        ),
        (
            latency(revertAbove="1%"),
            "spec.metrics[0].nullBelow: 2% is above revertAbove, which is 1%; lower nullBelow",
        ),
        (
            latency(revertAbove="15%"),
            "spec.metrics[0].promoteBelow: 10% is below revertAbove, which is 15%; an effect between them",
        ),
    ],
)
def test_what_the_schema_cannot_see_is_said_with_field_and_fix(metric: dict[str, object], said: str):
    (found,) = problems(spec(metrics=[metric]))
    assert found.startswith(said)
    assert "; " in found


def test_a_tight_error_margin_has_nothing_to_do_with_the_null_of_latency():
    assert problems(spec(metrics=[errors(revertAbove="1%")])) == []


def test_what_is_wrong_in_the_policy_is_said_of_the_policy():
    policy = {"defaults": {"metrics": [errors(errors={"counter": "c", "bad": [{"code": "5(.."}]})]}}
    (found,) = problems(spec(), policy)
    assert found.startswith("RolloutPolicy.spec.defaults.metrics[0].errors.bad[0].code")
    (found,) = problems(spec(), {"defaults": {"bake": "soon"}})
    assert found.startswith("RolloutPolicy.spec.defaults.bake")


def test_fields_of_a_later_version_do_not_stop_this_one():
    assert problems(spec(notifications=[{"url": "x"}])) == []


GUARDED = {
    "defaults": {"metrics": [latency(), errors()]},
    "guardrails": {"maxAlphaRevert": "0.01", "minStageDuration": "5m", "requiredMetrics": ["errors"]},
}


@pytest.mark.parametrize(
    "tighter",
    [
        {},
        {"alphaRevert": "0.005"},
        {"stages": [stage(5, "10m")]},
        {"metrics": [errors(revertAbove="20%", promoteBelow="40%")]},
        {"metrics": [errors(errors={"counter": "another_total", "bad": [{"status": "error"}]}), latency()]},
    ],
)
def test_a_rollout_may_tighten(tighter: dict[str, object]):
    assert problems(spec(**tighter), GUARDED) == []


@pytest.mark.parametrize(
    ("looser", "said"),
    [
        (
            {"alphaRevert": "0.05"},
            "spec.alphaRevert: 0.05 is above the guardrail maxAlphaRevert; use 0.01 or less",
        ),
        (
            {"stages": [stage(5), stage(50, "1m")]},
            "spec.stages[1].minDuration: 1m is below the guardrail minStageDuration; use 5m or more",
        ),
        ({"metrics": [latency()]}, 'spec.metrics: "errors" is missing, the guardrail requiredMetrics'),
        (
            {"metrics": [errors(gating="RevertOnly")]},
            "spec.metrics[0].gating: RevertOnly acts less than the policy's: the guardrail requiredMetrics",
        ),
        (
            {"metrics": [errors(revertAbove="90%")]},
            "spec.metrics[0].revertAbove: 90% is wider than the policy's: the guardrail requiredMetrics",
        ),
        (
            {"metrics": [errors(promoteBelowPoints="1%")]},
            "spec.metrics[0].promoteBelowPoints: 1% is wider than the policy's",
        ),
        (
            {"metrics": [{"name": "errors", "restarts": {}}]},
            "spec.metrics[0]: is measured by restarts, not errors: the guardrail requiredMetrics",
        ),
    ],
)
def test_a_rollout_cannot_loosen_and_is_told_the_guardrail(looser: dict[str, object], said: str):
    (found,) = problems(spec(**looser), GUARDED)
    assert found.startswith(said)


def test_a_required_metric_that_the_policy_does_not_define_must_be_able_to_revert():
    policy = {"guardrails": {"requiredMetrics": ["errors"]}}
    (found,) = problems(spec(metrics=[errors(gating="ReportOnly")]), policy)
    assert found.startswith("spec.metrics[0].gating: ReportOnly: the guardrail requiredMetrics")
    assert problems(spec(metrics=[errors(gating="RevertOnly")]), policy) == []


def test_a_policy_that_contradicts_itself_is_told_where():
    policy = {"defaults": {"alphaRevert": "0.02"}, "guardrails": {"maxAlphaRevert": "0.01"}}
    (found,) = problems(spec(), policy)
    assert found.startswith("RolloutPolicy.spec.defaults.alphaRevert: 0.02 is above")


ASKED = {"guardrails": {"approval": {"required": 2, "fromWeight": 50, "expires": "8h"}}}


def test_the_policy_asks_for_approvals_where_a_stage_says_nothing_of_them():
    found = resolved(spec(stages=[stage(5), stage(50)]), ASKED).registration.stages
    assert [(s.approvals, s.approval_expires) for s in found] == [(0, 86_400.0), (2, 28_800.0)]
    more = {**stage(50), "approval": {"required": 3, "expires": "1h"}}
    assert resolved(spec(stages=[more]), ASKED).registration.stages[0].approvals == 3


def test_fewer_approvals_or_longer_ones_are_refused_with_the_guardrail():
    lax = {**stage(50), "approval": {"required": 1}}
    assert problems(spec(stages=[stage(5), lax]), ASKED) == [
        "spec.stages[1].approval.required: 1 is below the guardrail approval; use 2 or more, or leave it out",
        "spec.stages[1].approval.expires: 24h is above the guardrail approval; use 8h or less",
    ]


WEEKENDS = {"cron": "0 18 * * 5", "duration": "60h", "timeZone": "Europe/Berlin"}
FEAST = {"from": "2026-12-20T00:00:00Z", "to": "2027-01-04T06:00:00Z"}


def test_a_rollout_adds_freeze_windows_and_never_takes_one_of_the_guardrails_away():
    policy = {"defaults": {"freeze": [FEAST]}, "guardrails": {"freeze": [WEEKENDS]}}
    weekends = Recurring("0 18 * * 5", 216_000.0, "Europe/Berlin")
    feast = Span(1_797_724_800.0, 1_799_042_400.0)
    assert resolved(spec(), policy).registration.freeze == (feast, weekends)
    assert resolved(spec(freeze=[]), policy).registration.freeze == (weekends,)
    found = resolved(spec(freeze=[WEEKENDS]), policy)
    assert found.registration.freeze == (weekends, weekends)
    assert found.effective["freeze"] == {"value": [WEEKENDS], "from": "rollout"}
    assert found.effective["guardrails.freeze"] == {"value": [WEEKENDS], "from": "guardrail"}


def test_what_only_a_calendar_can_tell_of_a_freeze_is_said_with_field_and_fix():
    freeze = [
        {**WEEKENDS, "timeZone": "Europe/Berlinn"},
        {**WEEKENDS, "cron": "0 25 * * *"},
        {**FEAST, "to": "2027-02-30T00:00:00Z"},
    ]
    assert problems(spec(freeze=freeze)) == [
        'spec.freeze[0].timeZone: "Europe/Berlinn" is no time zone; write one like Europe/Berlin',
        'spec.freeze[1].cron: "0 25 * * *" is no cron line (Bad hour); write five fields like "0 18 * * 5"',
        'spec.freeze[2].to: "2027-02-30T00:00:00Z" is no day of the calendar; correct it',
    ]
    (found,) = problems(spec(), {"guardrails": {"freeze": [freeze[0]]}})
    assert found.startswith("RolloutPolicy.spec.guardrails.freeze[0].timeZone")


PROBED = {
    "defaults": {"probe": "Switchback"},
    "guardrails": {"maxProbes": 1, "maxProbeBins": 120},
}


def test_a_policy_that_probes_says_how():
    assert resolved(spec()).registration.probe is None
    found = resolved(spec(switchback={"cycles": 5}), PROBED).registration
    assert found.probe == Switchback(cycles=5)
    assert found.alpha == pytest.approx(0.007)


@pytest.mark.parametrize(
    ("rollout", "guardrails", "told"),
    [
        ({"probes": 2}, {}, "spec.switchback.probes: 2 is above the guardrail maxProbes; use 1 or less"),
        (
            {"cycles": 7},
            {},
            "spec.switchback.cycles: a probe of 126 bins is above the guardrail maxProbeBins; lower cycles",
        ),
        ({}, {"maxProbes": 0}, "RolloutPolicy.spec.defaults.probe: Switchback is forbidden by the guardrail"),
    ],
)
def test_probes_stay_inside_the_guardrails(rollout, guardrails, told):
    policy = {**PROBED, "guardrails": PROBED["guardrails"] | guardrails}
    (found,) = problems(spec(switchback=rollout), policy)
    assert found.startswith(told)
    assert problems(spec(probe="None", switchback=rollout), policy) == []


def reach(rollout: dict[str, object], grid: Grid) -> list[str]:
    return [str(problem) for problem in out_of_reach(resolved(rollout, grid=grid).registration)]


def test_a_history_that_never_has_forty_bins_is_said_before_anybody_waits():
    fast, slow = Grid(15, 17, 7.5), Grid(120, 125, 60)
    assert reach(spec(), fast) == []
    assert reach(spec(history="10m"), fast) == []
    assert reach(spec(history="9m45s"), fast) == [
        "spec.history: 585 s are 39 bins of 15 s and 40 are needed; use 10m or more"
    ]
    assert reach(spec(), slow) == [
        "spec.history: 3600 s are 30 bins of 120 s and 40 are needed; use 80m or more"
    ]


def test_metrics_that_could_never_promote_or_revert_are_said():
    only = spec(metrics=[{"name": "restarts", "restarts": {}}])
    (found,) = reach(only, Grid(15, 17, 7.5))
    assert found.startswith("spec.metrics: no metric has gating Both")
    assert reach({**only, "mode": "Observe"}, Grid(15, 17, 7.5)) == []
    (found,) = reach(spec(metrics=[errors()], weights={"errors": "0"}), Grid(15, 17, 7.5))
    assert found.startswith("spec.weights: no metric that may revert has a part of the error budget")


def test_holds_name_who_releases_them_and_how_long_a_word_counts():
    hold = {"by": ["system:serviceaccount:ci:deployer", "oidc:ann@example.com"], "expires": "8h"}
    given = [stage() | {"holdBefore": hold}, stage(25) | {"holdAfter": {"by": ["bob"]}}]
    first, second = resolved(spec(stages=given)).registration.stages
    assert first.hold_before == Hold(("system:serviceaccount:ci:deployer", "oidc:ann@example.com"), 28_800.0)
    assert (first.hold_after, second.hold_before) == (None, None)
    assert second.hold_after == Hold(("bob",))


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        ({}, "spec.stages[0].holdBefore.by: is missing; add it"),
        ({"by": []}, "spec.stages[0].holdBefore.by: "),
        (
            {"by": ["ann smith"]},
            "spec.stages[0].holdBefore.by[0]: 'ann smith' has another form; write a",
        ),
        ({"by": ["ann"], "expires": "0s"}, "spec.stages[0].holdBefore.expires: '0s' has another form"),
    ],
)
def test_a_hold_that_nobody_can_release_is_told(hold, said):
    (found,) = problems(spec(stages=[stage() | {"holdBefore": hold}]))
    assert found.startswith(said)
