from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.analysis.simulation.chance import Walks, draws
from causal_rollouts.analysis.simulation.climate import (
    HARMLESS,
    Answers,
    Climate,
    Failures,
    Harm,
    Incident,
    Load,
    Scraping,
    Unevenness,
    Wander,
)
from causal_rollouts.analysis.simulation.fleet import slot_pods, stable_fleet
from causal_rollouts.analysis.simulation.latency import bucket_shares, edge_with_share
from causal_rollouts.analysis.simulation.scraper import Scraper
from causal_rollouts.analysis.simulation.setting import EPOCH, GRID
from causal_rollouts.analysis.simulation.world import Step, World
from causal_rollouts.model.arms import Arm, Pod, Slot
from causal_rollouts.model.release import PlannedSlot
from causal_rollouts.model.traffic import Weights

STILL = Unevenness(
    pods=0.0, nodes=0.0, drift=Wander(), wobble=Wander(), jitter=Wander(), cold=0.0
)  # fmt: skip
CALM = Climate(
    answers=Answers(spread=0.5),
    load=Load(per_second=4000.0, imbalance=0.0),
    unevenness=STILL,
    failures=Failures(share=0.01, pods=0.0, wobble=Wander(), crashes=0.0),
)
PODS = (
    *stable_fleet(4, 4, 1, EPOCH - 3600.0),
    *slot_pods(
        [PlannedSlot(Slot(Arm.CANARY, 0), "node-0"), PlannedSlot(Slot(Arm.BASELINE, 0), "node-9")],
        EPOCH - 120.0,
        10.0,
    ),
)
WEIGHTS = Weights(167, 167)
MIDDLES = np.log(np.sqrt(np.array([0.0025, *CALM.answers.edges]) * np.array([*CALM.answers.edges, 15.0])))


def served(climate: Climate, harm: Harm = HARMLESS, bins: int = 8, seed: int = 1) -> dict[str, Step]:
    """Everything that each pod served in two minutes, by pod."""
    world = World(climate, seed, lambda pod: harm if pod.arm is Arm.CANARY else HARMLESS)
    steps = [world.step(EPOCH + 15.0 * i, 15.0, PODS, WEIGHTS) for i in range(bins)]
    return {
        pod.name: Step(
            sum(s.counts[i] for s in steps),
            sum(s.errors[i] for s in steps),
            sum(s.restarts[i] for s in steps),
            steps[-1].up,
        )
        for i, pod in enumerate(PODS)
    }


def level(step: Step) -> float:
    return float(step.counts @ MIDDLES / step.counts.sum())


def effect(climate: Climate, harm: Harm, pod: str) -> float:
    """What a harm does to a pod's mean log latency, in an otherwise identical world."""
    return level(served(climate, harm)[pod]) - level(served(climate)[pod])


def test_a_slower_candidate_slows_its_own_pods_only():
    harm = Harm(slower=math.log(1.25))
    assert effect(CALM, harm, "canary-0-0") == pytest.approx(math.log(1.25), abs=0.03)
    assert effect(CALM, harm, "baseline-0-0") == pytest.approx(0.0, abs=0.02)


def test_a_bad_neighbour_slows_the_pods_of_its_node():
    harm = Harm(neighbours=math.log(1.5))
    beside = next(pod.name for pod in PODS if pod.arm is Arm.STABLE and pod.node == "node-0")
    apart = next(pod.name for pod in PODS if pod.arm is Arm.STABLE and pod.node != "node-0")
    assert effect(CALM, harm, beside) == pytest.approx(math.log(1.5), abs=0.05)
    assert effect(CALM, harm, apart) == pytest.approx(0.0, abs=0.02)
    assert effect(CALM, harm, "canary-0-0") == pytest.approx(0.0, abs=0.02)


def test_a_neighbour_that_fills_its_zone_slows_other_nodes_there_and_no_other_zone():
    harm = Harm(neighbours=math.log(1.5), far=True)
    same, other = (
        next(pod.name for pod in PODS if pod.arm is Arm.STABLE and pod.node == node)
        for node in ("node-3", "node-1")
    )
    assert effect(CALM, harm, same) == pytest.approx(math.log(1.5), abs=0.05)
    assert effect(CALM, harm, other) == pytest.approx(0.0, abs=0.02)


def test_a_leak_takes_requests_from_the_baseline_and_from_nobody_else():
    plain, leaky = served(CALM), served(replace(CALM, load=replace(CALM.load, leak=0.25)))
    part = {name: leaky[name].counts.sum() / plain[name].counts.sum() for name in plain}
    assert part["baseline-0-0"] == pytest.approx(0.75, abs=0.03)
    assert part["canary-0-0"] == pytest.approx(1.0, abs=0.03)
    assert sum(s.counts.sum() for s in leaky.values()) == pytest.approx(
        sum(s.counts.sum() for s in plain.values()), rel=0.02
    )


def test_a_loaded_backend_slows_everybody_with_the_share():
    assert effect(CALM, Harm(backend=1.2), "stable-1") == pytest.approx(1.2 * 0.167, abs=0.03)


def test_a_late_harm_is_none_before_its_onset():
    assert effect(CALM, Harm(slower=1.0, onset=3600.0), "canary-0-0") == pytest.approx(0.0, abs=0.02)


def test_errors_are_added_to_the_candidate():
    found = served(CALM, Harm(errors=0.05))
    assert found["canary-0-0"].errors / found["canary-0-0"].counts.sum() == pytest.approx(0.06, abs=0.01)
    assert found["stable-0"].errors / found["stable-0"].counts.sum() == pytest.approx(0.01, abs=0.004)


def test_a_longer_tail_leaves_the_middle_alone():
    slow = served(CALM, Harm(tail=3.0))["canary-0-0"].counts
    usual = served(CALM)["canary-0-0"].counts
    assert slow[9:].sum() / usual[9:].sum() == pytest.approx(3.0, abs=0.8)
    assert slow[:7].sum() / usual[:7].sum() == pytest.approx(1.0, abs=0.05)


def test_a_crash_loop_backs_off_and_stays_down():
    found = served(CALM, Harm(crash_after=30.0), bins=40)
    assert 3 <= found["canary-0-0"].restarts <= 8
    assert found["baseline-0-0"].restarts == 0
    assert found["canary-0-0"].counts.sum() < 0.6 * found["baseline-0-0"].counts.sum()


def test_a_crash_loop_does_not_forget_itself_when_other_pods_come():
    world = World(CALM, 1, lambda pod: Harm(crash_after=30.0) if pod.arm is Arm.CANARY else HARMLESS)
    others = [replace(pod, name=f"more-{i}", slot=f"more-{i}") for i, pod in enumerate(PODS[:1] * 40)]
    restarts = 0.0
    for i in range(40):
        there = (*PODS, *others[:i])
        step = world.step(EPOCH + 15.0 * i, 15.0, there, WEIGHTS)
        restarts += step.restarts[[pod.arm is Arm.CANARY for pod in there]].sum()
    assert 3 <= restarts <= 8


def test_canary_and_baseline_pods_carry_the_same_load():
    found = served(CALM)
    canary, baseline = found["canary-0-0"].counts.sum(), found["baseline-0-0"].counts.sum()
    assert canary == pytest.approx(baseline, rel=0.02)


def test_a_lottery_spreads_pods_as_asked_for_and_each_pod_keeps_its_lot():
    many = stable_fleet(400, 4, 1, EPOCH - 3600.0)
    climate = replace(
        CALM, load=Load(400_000.0, imbalance=0.0), unevenness=replace(STILL, pods=0.05, pods_df=12.0)
    )
    world = World(climate, 3)
    first, second = (world.step(EPOCH + 15.0 * i, 15.0, many, Weights(0, 0)).counts for i in range(2))
    one, two = ((c @ MIDDLES) / c.sum(axis=1) for c in (first, second))
    assert np.std(one) == pytest.approx(0.05, rel=0.2)
    assert np.corrcoef(one, two)[0, 1] > 0.9


def test_a_path_has_the_deviation_and_memory_it_was_given():
    walks = Walks(Wander(0.1, 60.0), draws(1, "test"))
    path = np.array([walks.step(("a", "b"), 15.0) for _ in range(20_000)])
    assert path.std() == pytest.approx(0.1, rel=0.05)
    lagged = np.mean(path[4:] * path[:-4]) / np.mean(path**2)
    assert lagged == pytest.approx(math.exp(-1.0), abs=0.05)
    assert abs(np.corrcoef(path.T)[0, 1]) < 0.1


@pytest.mark.parametrize("shape", ["lognormal", "loglogistic"])
def test_the_edge_of_slow_requests_has_their_share(shape: str):
    answers = Answers(shape=shape)
    edge = edge_with_share(answers, 0.01)
    shares = bucket_shares(answers, np.zeros(1), np.array([answers.slow_share]))[0]
    above = shares[answers.edges.index(edge) + 1 :].sum()
    assert 0.002 < above < 0.05
    assert shares.sum() == pytest.approx(1.0)


def test_lost_scrapes_delay_requests_and_lose_none():
    rng = np.random.default_rng(1)
    pods = PODS[:4]
    scraper = Scraper(Scraping(lost=0.4), GRID, 15, rng)
    counts = rng.poisson(50.0, (200, 4, 15)).astype(float)
    none = np.zeros(4)
    bins = [
        scraper.scrape(pods, Step(c, none, none, np.ones(4, dtype=bool)), EPOCH + 15.0 * i)
        for i, c in enumerate(counts)
    ]
    seen = sum(b.served[:, :-1].sum() for b in bins)
    assert any(b.lost.any() for b in bins)
    assert counts.sum() - seen < 4 * 15 * 50 * 6
    assert all((b.served[b.lost] == 0).all() for b in bins)
    last = max(i for i, b in enumerate(bins) if not b.lost.any())
    assert sum(b.served[:, :-1].sum() for b in bins[: last + 1]) <= counts[: last + 1].sum()


def test_an_outage_brings_everything_in_the_bin_after_it():
    scraper = Scraper(Scraping(outages=((EPOCH, 60.0),)), GRID, 15, np.random.default_rng(1))
    ones, none = np.ones((4, 15)), np.zeros(4)
    bins = [
        scraper.scrape(PODS[:4], Step(ones, none, none, np.ones(4, dtype=bool)), EPOCH + 15.0 * i)
        for i in range(6)
    ]
    assert [b.served[0, 0] for b in bins] == [0, 0, 0, 0, 5, 1]
    assert [b.seconds[0] for b in bins] == [0, 0, 0, 0, 75, 15]


def test_pods_are_spread_over_the_nodes():
    fleet = stable_fleet(17, 5, 3, EPOCH)
    nodes = [pod.node for pod in fleet]
    assert {nodes.count(node) for node in set(nodes)} == {3, 4}
    assert all(isinstance(pod, Pod) and pod.arm is Arm.STABLE for pod in fleet)


def test_an_incident_of_one_node_slows_the_pods_on_it_alone() -> None:
    one = Incident(EPOCH, 600.0, slower=math.log(1.5), nodes=("node-0",))
    calm, hit = (served(replace(CALM, incidents=incidents)) for incidents in ((), (one,)))
    for pod in PODS:
        change = level(hit[pod.name]) - level(calm[pod.name])
        assert change == pytest.approx(math.log(1.5) if pod.node == "node-0" else 0.0, abs=0.05)
