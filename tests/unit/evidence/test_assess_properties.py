"""However looks are cut and samples delivered, the same bins leave the same evidence."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from causal_rollouts.evidence.assess import Assessment, assess, needed_since
from causal_rollouts.model.telemetry import Series, Telemetry
from tests.unit.evidence.looks import every_second_bin
from tests.unit.evidence.sample_world import GRID, Run, World, make, with_series

SMALL = World(seed=3, stable=6, nodes=4, canaries=(2, 3), history=46, stage_bins=10, slower=0.05, crashes=20)


@cache
def run() -> Run:
    """Scrapes are lost here and there, one pod is silent for six bins, one process restarts.

    A baseline pod is replaced on another node, and a stable pod is gone for good.
    """
    world = SMALL
    died = {"web-baseline-1-x": world.t0_time + 80, "web-2": world.t0_time + 120}
    back = world.t0_time + 110
    silent = range(round(world.t0_time + 60), round(world.t0_time + 150))
    reset = world.t0_time + 100
    lost = random.Random(1)
    dropped: dict[tuple[str, float], bool] = {}

    def change(series: Series) -> Series:
        pod, ksm = series.labels["pod"], series.labels["job"] == "ksm"
        base = max((v for t, v in zip(series.times, series.values, strict=True) if t < reset), default=0.0)
        pairs = []
        for t, v in zip(series.times, series.values, strict=True):
            gone = dropped.setdefault((series.labels["instance"] + pod, t), lost.random() < 0.04)
            if gone or (pod == "web-canary-0-x" and int(t) in silent) or t >= died.get(pod, t + 1):
                continue
            pairs.append((t, v - base if pod == "web-1" and t >= reset and not ksm else v))
        mine = Series(series.labels, [t for t, _ in pairs], [v for _, v in pairs])
        return [mine, _reborn(series, back)] if pod == "web-baseline-1-x" else mine

    changed = with_series(make(world), change)
    pods = [replace(p, deleted=died.get(p.name)) for p in changed.pods]
    first = next(p for p in pods if p.name == "web-baseline-1-x")
    second = replace(
        first, name="web-baseline-1-y", uid="uid-y", node="n3", created=back, ready=back + 9, deleted=None
    )
    return replace(changed, pods=(*pods, second))


def _reborn(series: Series, since: float) -> Series:
    """What the pod's successor shows: the same counts, from zero."""
    pairs = [(t, v) for t, v in zip(series.times, series.values, strict=True) if t >= since]
    base = pairs[0][1] if pairs else 0.0
    labels = {**series.labels, "pod": "web-baseline-1-y"}
    return Series(labels, [t for t, _ in pairs], [v - base for _, v in pairs])


def story(at: list[int], order: int, more: float, *, twice: bool) -> Assessment:
    """The last of these looks. order: of the series. more: seconds of samples that nobody asked for."""
    released = run()
    reg = released.world.registration()
    shuffle = random.Random(order)
    state: bytes | None = None
    found: Assessment | None = None
    for index in at:
        look = released.look(index)
        timeline = tuple(c for c in released.timeline if c.time <= look.time)
        since = needed_since(reg, timeline, state, look.time) - more
        telemetry = shuffled(released.telemetry(since, GRID.end(look.last_final) + more), shuffle)
        before = state
        found = assess(reg, released.pods, timeline, telemetry, look, state)
        if twice:
            # A crash before the record was written: the same look from the same state.
            assert assess(reg, released.pods, timeline, telemetry, look, before) == found
        state = found.state
    assert found is not None
    return found


def shuffled(telemetry: Telemetry, luck: random.Random) -> Telemetry:
    mixed = {}
    for name, series in telemetry.series.items():
        order = list(series)
        luck.shuffle(order)
        mixed[name] = tuple(order)
    return Telemetry(mixed)


@cache
def reference() -> Assessment:
    return story(list(every_second_bin(run())), 0, 0.0, twice=False)


LOOKS = list(every_second_bin(run()))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kept=st.sets(st.sampled_from(LOOKS[:-1])),
    order=st.integers(0, 1000),
    more=st.sampled_from([0.0, 7.0, 400.0]),
    twice=st.booleans(),
)
@example(kept=set(), order=1, more=0.0, twice=True)
@example(kept=set(LOOKS[:-1]), order=2, more=400.0, twice=True)
def test_cuts_order_repeats_and_extra_samples_change_nothing(kept, order, more, twice):
    found = story([*sorted(kept), LOOKS[-1]], order, more, twice=twice)
    expected = reference()
    assert replace(found.evidence, fresh=True) == replace(expected.evidence, fresh=True)


@settings(max_examples=6, deadline=None)
@given(order=st.integers(0, 1000), more=st.sampled_from([0.0, 7.0, 400.0]))
def test_the_same_looks_leave_the_same_bytes(order, more):
    assert story(LOOKS, order, more, twice=False).state == reference().state


def test_single_bins_give_what_pairs_of_bins_give():
    released = run()
    every = range(released.world.history - 3, LOOKS[-1] + 1)
    assert story(list(every), 0, 0.0, twice=False).evidence == reference().evidence
