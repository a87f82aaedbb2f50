"""Raw samples in, evidence out: what each kind of release and of broken telemetry is told as."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from causal_rollouts.evidence.assess import Assessment, assess, needed_since
from causal_rollouts.evidence.codec import StateUnreadable
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Gating, Matcher
from causal_rollouts.model.reasons import Validity
from causal_rollouts.model.telemetry import Series, Telemetry
from tests.unit.evidence.looks import every_second_bin, first_harm, look_once, told, watch
from tests.unit.evidence.sample_world import (
    ERRORS,
    GRID,
    HISTOGRAM,
    LATENCY,
    RESTARTS,
    SLOW,
    World,
    make,
    with_series,
)

NULL = World()


@cache
def steady() -> Assessment:
    """What the last look at an untouched release finds."""
    return watch(make(NULL))


def is_of(series: Series, arm: str, ordinal: int = 0) -> bool:
    return series.labels["pod"].startswith(f"web-{arm}-{ordinal}-")


def after_start(world: World, series: Series, lost: float = math.inf, since: float = 0.0) -> Series:
    """The series without its samples in [since, lost) seconds after the first stage."""
    begin, end = world.t0_time + since, world.t0_time + lost
    kept = [(t, v) for t, v in zip(series.times, series.values, strict=True) if not begin <= t < end]
    return Series(series.labels, [t for t, _ in kept], [v for _, v in kept])


def test_a_release_that_changes_nothing_is_found_safe_and_is_never_blamed():
    seen = []
    found = watch(make(NULL), saw=lambda _, e: seen.append(e))
    assert not any(e.harm for e in seen)
    assert all(e.validity is Validity.OK for e in seen)
    assert found.evidence.safe(promote=True)
    assert not found.evidence.shared_incident
    assert not found.evidence.contaminated
    assert found.evidence.share.ok is True


def test_half_as_slow_again_is_harm_within_ten_bins():
    run = make(replace(NULL, slower=0.4))
    assert first_harm(run) <= 10
    found = watch(run).evidence
    assert told(found, "latency").effect == pytest.approx(0.4, abs=0.06)
    assert found.worst.metric in {"latency", "slow", "tail"}


def test_five_points_of_errors_are_harm_within_ten_bins():
    run = make(replace(NULL, more_errors=0.05))
    assert first_harm(run) <= 10
    assert watch(run).evidence.worst.metric == "errors"


def test_a_canary_that_crashes_over_and_over_is_harm():
    run = make(replace(NULL, crashes=60.0))
    assert first_harm(run) <= 24
    assert watch(run).evidence.worst.metric == "restarts"


def test_a_crash_loop_is_harm_although_its_scrapes_are_missing():
    """Up for 20 of every 60 seconds; each start counts from zero again."""
    run = make(NULL)
    period, up = 60.0, 20.0

    def looping(series):
        labels = series.labels
        if not labels["pod"].startswith("web-canary"):
            return series
        phase = 17.0 * int(labels["pod"].split("-")[2])
        rows = list(zip(series.times, series.values, strict=True))
        if labels["job"] == "ksm":
            return replace(series, values=[max(0.0, (t - NULL.t0_time + phase) // period) for t, _ in rows])
        alive = [(t, v) for t, v in rows if t < NULL.t0_time or (t - NULL.t0_time + phase) % period < up]
        base, out, before = 0.0, [], 0.0
        for t, v in alive:
            if t - before > scrape_gap:
                base = v if t >= NULL.t0_time else 0.0
            out.append((t, v - base))
            before = t
        return Series(labels, [t for t, _ in out], [v for _, v in out])

    scrape_gap = 3 * GRID.scrape
    seen = []
    watch(with_series(run, looping), saw=lambda _, e: seen.append(e))
    first = next(e for e in seen if e.harm)
    assert first.worst.metric == "restarts"
    assert first.validity is Validity.INCOMPLETE
    assert not any(e.validity is Validity.OK and e.safe(promote=False) for e in seen if e.harm)


def test_arms_with_swapped_labels_do_not_revert_on_the_same_numbers():
    run = make(replace(NULL, slower=0.4))
    swap = {Arm.CANARY: Arm.BASELINE, Arm.BASELINE: Arm.CANARY, Arm.STABLE: Arm.STABLE}

    def swapped(pod):
        slot = pod.slot.replace(pod.arm, swap[pod.arm]) if pod.arm is not Arm.STABLE else pod.slot
        return replace(pod, arm=swap[pod.arm], slot=slot)

    assert first_harm(replace(run, pods=tuple(swapped(pod) for pod in run.pods))) is None


def test_before_the_first_stage_it_says_that_all_is_ready():
    run = make(NULL)
    found = look_once(run, run.look(NULL.history - 3), None)
    assert found.evidence.validity is Validity.OK
    assert not found.evidence.fresh
    assert found.evidence.log_harm == -math.inf
    assert len(found.state) < 200


def test_a_young_fleet_is_told_as_short_history_until_it_is_old_enough():
    run = make(NULL)
    young = replace(run, pods=tuple(replace(p, ready=run.world.t0_time - 300) for p in run.pods))
    found = look_once(young, young.look(NULL.history - 3), None).evidence
    assert found.validity is Validity.SHORT_HISTORY
    assert "40" in found.why_invalid
    assert watch(young).evidence.validity is Validity.SHORT_HISTORY


def test_no_data_at_all_is_no_data_and_not_harm():
    run = with_series(make(NULL), lambda _: None)
    found = watch(run).evidence
    assert found.validity is Validity.NO_DATA
    assert HISTOGRAM in found.why_invalid
    assert found.log_harm == -math.inf
    assert not found.fresh


@pytest.mark.parametrize(("hidden", "last"), [(4, 6), (9, 30)])
def test_a_metric_that_appears_late_is_fitted_then_as_if_it_had_always_been_there(hidden, last):
    run = make(NULL)
    looks = every_second_bin(run, last=NULL.history + last)
    state = None
    for index in looks:
        seen = with_series(run, lambda s: None) if index < NULL.history + hidden else run
        found = look_once(seen, run.look(index), state)
        state = found.state
    always = watch(run, looks)
    assert found.evidence == always.evidence
    assert found.state == always.state


def test_a_source_that_does_not_answer_consumes_nothing_and_is_made_up_later():
    run = make(NULL)
    state, stopped = None, []
    for index in every_second_bin(run):
        look = run.look(index)
        away = NULL.history + 10 <= index < NULL.history + 20
        if away:
            look = replace(look, provider_error="connection refused")
            found = assess(run.world.registration(), run.pods, run.timeline[:1], Telemetry({}), look, state)
            stopped.append(found.evidence)
            assert found.state == state
        else:
            found = look_once(run, look, state)
        state = found.state
    assert {e.validity for e in stopped} == {Validity.PROVIDER_ERROR}
    assert not any(e.fresh for e in stopped)
    assert stopped[0].log_harm == stopped[-1].log_harm
    assert found.state == steady().state
    assert found.evidence == steady().evidence


def test_one_metric_whose_answer_is_no_use_holds_only_itself_back():
    run = make(NULL)
    state = watch(run, every_second_bin(run, last=NULL.history + 15)).state
    run.problems["errors"] = "400: parse error"
    found = look_once(run, run.look(NULL.history + 15), state).evidence
    assert found.validity is Validity.PROVIDER_ERROR
    assert told(found, "errors").validity is Validity.PROVIDER_ERROR
    assert told(found, "latency").validity is Validity.OK
    run.problems.clear()
    later = look_once(run, run.look(NULL.history + 17), state).evidence
    assert later.validity is Validity.OK


def test_prometheus_down_for_three_minutes_is_told_and_then_forgotten():
    run = with_series(make(NULL), lambda s: after_start(NULL, s, lost=330.0, since=150.0))
    seen = {}
    watch(run, saw=lambda look, e: seen.update({look.last_final - GRID.index(NULL.t0_time): e}))
    assert seen[9].validity is Validity.OK
    assert seen[13].validity is Validity.INCOMPLETE
    assert seen[19].validity is Validity.NO_DATA
    assert seen[27].validity is Validity.INCOMPLETE
    assert seen[29].validity is Validity.OK
    assert not any(e.harm for e in seen.values())
    assert math.isfinite(told(seen[15], "latency").log_e_safe)


def test_a_canary_pod_that_is_not_scraped_is_told_as_incomplete():
    run = make(NULL)
    blind = with_series(run, lambda s: None if is_of(s, "canary", 1) else s)
    found = watch(blind, every_second_bin(run, last=NULL.history + 20)).evidence
    assert found.validity is Validity.INCOMPLETE
    assert found.completeness == pytest.approx(2 / 3, abs=0.05)


def test_scrapes_lost_here_and_there_lose_no_request_and_blame_nobody():
    world = replace(NULL, seed=5)
    rng = np.random.default_rng(0)
    dropped = {}

    def thin(series):
        key = series.labels["pod"], series.labels["instance"]
        lost = dropped.setdefault(key, set(np.flatnonzero(rng.random(2000) < 0.03).tolist()))
        offset = round((series.times[0] - 1.7e9) / GRID.scrape)
        kept = [i for i in range(len(series.times)) if i + offset not in lost]
        return Series(series.labels, [series.times[i] for i in kept], [series.values[i] for i in kept])

    seen = []
    found = watch(with_series(make(world), thin), saw=lambda _, e: seen.append(e)).evidence
    assert not any(e.harm for e in seen)
    assert found.share.ok is True
    assert sum(e.validity is Validity.OK for e in seen) > 0.8 * len(seen)


def test_a_stable_process_that_restarts_is_counted_on_from_zero():
    run = make(NULL)
    at = NULL.t0_time + 200.0

    def reset(series):
        if series.labels["pod"] not in {"web-0", "web-3"} or series.labels["job"] == "ksm":
            return series
        before = [v for t, v in zip(series.times, series.values, strict=True) if t < at]
        base = before[-1] if before else 0.0
        values = [v - (base if t >= at else 0.0) for t, v in zip(series.times, series.values, strict=True)]
        return Series(series.labels, series.times, values)

    found = watch(with_series(run, reset)).evidence
    assert told(found, "latency") == told(steady().evidence, "latency")


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_value_that_no_counter_can_have_is_named_with_its_pod(value):
    run = make(NULL)
    since = NULL.t0_time + 150.0

    def spoilt(series):
        if not is_of(series, "canary", 2) or series.labels["job"] == "ksm":
            return series
        return replace(
            series,
            values=[value if t > since else v for t, v in zip(series.times, series.values, strict=True)],
        )

    found = watch(with_series(run, spoilt), every_second_bin(run, last=NULL.history + 20)).evidence
    assert found.validity is (Validity.WRONG_TYPE if value == -1.0 else Validity.NOT_A_NUMBER)
    assert "web-canary-2-x" in found.why_invalid
    assert not found.harm


def test_a_pod_scraped_by_two_jobs_is_named():
    run = make(NULL)

    def twice(series):
        if not is_of(series, "baseline", 0) or series.labels["job"] == "ksm":
            return series
        again = Series({**series.labels, "job": "other"}, [t + 2.0 for t in series.times], series.values)
        return [series, again]

    found = watch(with_series(run, twice), every_second_bin(run, last=NULL.history + 20)).evidence
    assert found.validity is Validity.DUPLICATE_SERIES
    assert "web-baseline-0-x" in found.why_invalid


def test_a_pod_that_comes_back_under_another_address_is_not_a_duplicate():
    run = make(NULL)
    at = NULL.t0_time + 200.0

    def moved(series):
        if series.labels["pod"] != "web-2" or series.labels["job"] == "ksm":
            return series
        pairs = list(zip(series.times, series.values, strict=True))
        old, new = [p for p in pairs if p[0] < at], [p for p in pairs if p[0] >= at]
        there = {**series.labels, "instance": "10.9.9.9:80"}
        return [Series(series.labels, *zip(*old, strict=True)), Series(there, *zip(*new, strict=True))]

    assert watch(with_series(run, moved)).evidence == steady().evidence


def test_a_candidate_with_other_buckets_is_told_as_a_changed_layout():
    run = make(NULL)

    def other(series):
        if not series.labels["pod"].startswith("web-canary") or series.labels.get("le") != "0.1":
            return series
        return replace(series, labels={**series.labels, "le": "0.12"})

    found = watch(with_series(run, other)).evidence
    assert found.validity is Validity.LAYOUT_CHANGED
    assert not found.harm
    assert not found.safe(promote=False)


def test_buckets_that_change_everywhere_stop_latency_and_keep_what_it_knew():
    run = make(NULL)
    since = NULL.t0_time + 180.0

    def changed(series):
        if series.labels.get("le") != "0.1":
            return series
        pairs = list(zip(series.times, series.values, strict=True))
        old, new = [p for p in pairs if p[0] < since], [p for p in pairs if p[0] >= since]
        parts = [(series.labels, old), ({**series.labels, "le": "0.12"}, new)]
        return [Series(labels, [t for t, _ in rows], [v for _, v in rows]) for labels, rows in parts if rows]

    before = watch(run, every_second_bin(run, last=NULL.history + 12)).evidence
    after = watch(with_series(run, changed)).evidence
    assert after.validity is Validity.LAYOUT_CHANGED
    assert told(after, "errors").validity is Validity.OK
    assert told(after, "latency").effect == pytest.approx(told(before, "latency").effect, abs=0.01)
    assert told(after, "latency").log_e_safe > 2.5


def test_a_candidate_with_fewer_buckets_is_told_as_a_changed_layout():
    run = make(NULL)

    def fewer(series):
        gone = series.labels["pod"].startswith("web-canary") and series.labels.get("le") == "0.1"
        return None if gone else series

    assert watch(with_series(run, fewer)).evidence.validity is Validity.LAYOUT_CHANGED


def test_a_threshold_that_is_no_bucket_edge_lists_the_edges():
    world = replace(NULL, metrics=(LATENCY, replace(SLOW, over=0.3)))
    run = make(world)
    for found in (look_once(run, run.look(NULL.history - 3), None), watch(run)):
        assert found.evidence.validity is Validity.NO_SUCH_EDGE
        assert "0.25, 0.5" in found.evidence.why_invalid


def test_a_gauge_named_as_a_counter_is_the_wrong_type():
    world = replace(NULL, metrics=(LATENCY, ERRORS))
    rng = np.random.default_rng(3)

    def gauge(series):
        if "code" not in series.labels:
            return series
        return replace(series, values=rng.poisson(20.0, len(series.times)).astype(float).tolist())

    found = watch(with_series(make(world), gauge)).evidence
    assert told(found, "errors").validity is Validity.WRONG_TYPE
    assert told(found, "latency").validity is Validity.OK


def test_a_series_without_buckets_is_the_wrong_type():
    def summary(series):
        labels = {k: v for k, v in series.labels.items() if k != "le"}
        return replace(series, labels=labels) if "le" in series.labels else series

    found = watch(with_series(make(NULL), summary)).evidence
    assert found.validity is Validity.WRONG_TYPE
    assert "le" in found.why_invalid


def test_a_pattern_that_is_none_is_named_and_not_raised():
    bad = replace(ERRORS, bad=(Matcher((("code", "5(."),)),))
    found = watch(make(replace(NULL, metrics=(LATENCY, bad)))).evidence
    assert found.validity is Validity.WRONG_TYPE
    assert "metrics[errors].bad" in found.why_invalid


def test_ignored_requests_do_not_count():
    run = make(NULL)

    def probes(series):
        if "le" not in series.labels:
            return series
        fast = series.labels["le"] != "0.0"
        count = [(1e4 + 40 * i) if fast else 0.0 for i in range(len(series.times))]
        health = {**series.labels, "route": "/healthz"}
        return [series, Series(health, series.times, count)]

    ignoring = replace(NULL, metrics=(replace(LATENCY, ignore=(Matcher((("route", "/health.*"),)),)),))
    plain = replace(NULL, metrics=(LATENCY,))
    with_probes = with_series(make(ignoring), probes)
    assert watch(with_probes).evidence == watch(replace(run, world=plain)).evidence


def test_traffic_that_does_not_follow_the_weights_is_a_share_mismatch():
    run = make(NULL)
    wrong = tuple(replace(c, weights=replace(c.weights, canary=c.weights.canary - 60)) for c in run.timeline)
    found = watch(replace(run, timeline=wrong)).evidence
    assert found.validity is Validity.SHARE_MISMATCH
    assert found.share.ok is False
    assert "35" in found.why_invalid


def test_a_metric_that_only_reports_has_no_budget_and_holds_nothing_up():
    world = replace(NULL, metrics=(LATENCY, replace(ERRORS, gating=Gating.REPORT_ONLY)), more_errors=0.05)
    run = with_series(make(world), lambda s: s if s.labels.get("code") != "none" else None)
    found = watch(run).evidence
    assert not found.harm
    assert told(found, "errors").log_e_harm > 10
    silent = watch(with_series(run, lambda s: None if "code" in s.labels else s)).evidence
    assert silent.validity is Validity.OK


def test_stage_bins_and_freshness_begin_again_with_each_stage():
    seen = {}
    run = make(NULL)
    watch(run, saw=lambda look, e: seen.update({look.last_final - GRID.index(NULL.t0_time): e}))
    assert (seen[21].fresh, seen[21].stage_bins) == (True, 20)
    # The second stage begins at bin 24; two bins of blackout follow.
    assert (seen[25].fresh, seen[25].stage_bins) == (False, 0)
    assert (seen[27].fresh, seen[27].stage_bins) == (True, 2)


def test_the_same_look_twice_is_not_fresh_the_second_time():
    run = make(NULL)
    first = watch(run, every_second_bin(run, last=NULL.history + 12))
    again = look_once(run, run.look(NULL.history + 11), first.state)
    assert first.evidence.fresh
    assert replace(again.evidence, fresh=True) == first.evidence
    assert again.state == first.state


def test_new_pods_of_the_fleet_count_for_the_share_and_for_nothing_else():
    run = make(NULL)
    born = NULL.t0_time + 30.0
    late = {"web-4", "web-9"}
    pods = tuple(replace(p, created=born, ready=born) if p.name in late else p for p in run.pods)
    found = watch(replace(run, pods=pods)).evidence
    assert found.share.ok is True
    gone = with_series(run, lambda s: None if s.labels["pod"] in late else s)
    gone = replace(gone, pods=tuple(p for p in run.pods if p.name not in late))
    without = watch(gone).evidence
    assert told(found, "latency") == told(without, "latency")
    assert found.share.requests > without.share.requests


def test_a_state_of_another_release_is_refused():
    run, state = make(NULL), steady().state
    other = replace(NULL.registration(), release="r2")
    with pytest.raises(StateUnreadable, match="r1"):
        needed_since(other, run.timeline, state)


def test_a_state_with_other_metrics_is_refused():
    other = replace(NULL.registration(), metrics=(LATENCY, ERRORS))
    with pytest.raises(StateUnreadable, match="registered others"):
        needed_since(other, make(NULL).timeline, steady().state)


def test_while_a_metric_is_missing_the_whole_history_is_asked_for_and_no_more():
    run = with_series(make(NULL), lambda s: None if "code" in s.labels else s)
    state = watch(run, every_second_bin(run, last=NULL.history + 6)).state
    start = NULL.t0_time - NULL.registration().times.history
    assert needed_since(NULL.registration(), run.timeline, state) == start - 2 * GRID.scrape


def test_a_look_asks_for_the_newest_scrapes_only():
    run = make(NULL)
    state = watch(run, every_second_bin(run, last=NULL.history + 20)).state
    since = needed_since(NULL.registration(), run.timeline, state)
    assert GRID.end(GRID.index(NULL.t0_time) + 19) - since <= 4 * GRID.scrape


def test_restarts_alone_are_judged_without_any_request():
    found = watch(make(replace(NULL, metrics=(RESTARTS,), crashes=60.0))).evidence
    assert found.harm
    assert found.share.ok is None
