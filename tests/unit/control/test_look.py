"""One look after the other, none left out, and a source that fails blames nobody."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from causal_rollouts.control import look as module
from causal_rollouts.control.look import Looked, due, look
from causal_rollouts.control.roster import merge, names
from causal_rollouts.evidence.assess import Assessment
from causal_rollouts.evidence.codec import StateUnreadable
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.metrics import Metric, MetricKind
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Refused, Scope
from tests.unit.control import sights
from tests.unit.control.sights import NOW, pod, record, release
from tests.unit.decision.situations import evidence

GRID = sights.registration().grid
NEWEST = GRID.last_look(NOW)


class Source:
    """Notes what was asked; `answer` is what it says."""

    def __init__(self, answer: Callable[[Metric], tuple[Series, ...]] = lambda _: ()) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Scope, float, float]] = []

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        self.asked.append((metric.name, scope, start, end))
        return self.answer(metric)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, bytes | None, dict[str, str]]]:
    """(bin, late bins, state before, problems) of each assessment; harm is proven in bins of `harm`."""
    made: list[tuple[int, int, bytes | None, dict[str, str]]] = []

    def assess(reg, pods, timeline, telemetry, seen, state):
        made.append((seen.last_final, seen.late_bins, state, dict(telemetry.problems)))
        found = evidence(bin=seen.last_final, log_harm=9.0 if seen.last_final in HARM else -1.0)
        return Assessment(found, f"after {seen.last_final}".encode())

    monkeypatch.setattr(module, "assess", assess)
    monkeypatch.setattr(module, "needed_since", lambda *_: NOW - 900)
    HARM.clear()
    return made


HARM: set[int] = set()


def last(at: int):
    return record(release(look=at))


async def test_a_look_is_due_when_a_newer_bin_is_final() -> None:
    assert due(last(NEWEST - 2), NOW)
    assert not due(last(NEWEST), NOW)
    assert due(record(release(look=None)), NOW)


async def test_looks_that_were_missed_are_made_up_in_order_each_from_the_state_of_the_one_before(
    looks,
) -> None:
    found = await look(last(NEWEST - 6), Source(), NOW)
    assert looks == [
        (NEWEST - 4, 4, b"state", {}),
        (NEWEST - 2, 2, f"after {NEWEST - 4}".encode(), {}),
        (NEWEST, 0, f"after {NEWEST - 2}".encode(), {}),
    ]
    assert (found.bin, found.state) == (NEWEST, f"after {NEWEST}".encode())


async def test_the_first_look_is_only_at_the_newest_bin(looks) -> None:
    await look(record(release(look=None), state=None), Source(), NOW)
    assert [bin_ for bin_, *_ in looks] == [NEWEST]


async def test_harm_in_a_look_that_was_missed_is_acted_on_as_it_would_have_been(looks) -> None:
    HARM.add(NEWEST - 4)
    found = await look(last(NEWEST - 6), Source(), NOW)
    assert (found.bin, found.evidence.harm) == (NEWEST - 4, True)
    assert len(looks) == 1


async def test_one_question_is_asked_for_each_metric_however_many_looks_are_due(looks) -> None:
    source = Source()
    gone = pod(Slot(Arm.CANARY, 1), NOW - 5000, name="gone", deleted=NOW - 4000)
    await look(
        replace(last(NEWEST - 10), release=release(look=NEWEST - 10, pods=(gone, *pods()))), source, NOW
    )
    assert [(name, start, end) for name, _, start, end in source.asked] == [
        ("latency", NOW - 900, GRID.end(NEWEST))
    ]
    assert source.asked[0][1] == Scope("shop", ("checkout-baseline-0-x", "checkout-canary-0-x"))


def pods():
    return tuple(pod(slot, NOW - 400) for slot in sights.SLOTS)


async def test_a_source_that_does_not_answer_leaves_no_trace_in_the_evidence(looks) -> None:
    def away(_: Metric) -> tuple[Series, ...]:
        raise Broken("connection refused")

    found = await look(last(NEWEST - 2), Source(away), NOW)
    assert found == Looked(provider_error="the metrics source does not answer: connection refused")
    assert looks == []


async def test_a_metric_that_is_refused_is_a_problem_of_that_metric(looks) -> None:
    def no(_: Metric) -> tuple[Series, ...]:
        raise Refused("parse error")

    await look(last(NEWEST - 2), Source(no), NOW)
    assert looks[0][3] == {"latency": "parse error"}


async def test_metrics_of_the_same_series_are_asked_for_once(looks) -> None:
    def refused(_: Metric) -> tuple[Series, ...]:
        raise Refused("parse error")

    (latency,) = sights.registration().metrics
    slow = replace(latency, name="slow", kind=MetricKind.SLOW, over=0.5)
    errors = replace(latency, name="errors", kind=MetricKind.ERRORS, series="requests_total")
    source = Source(refused)
    both = replace(last(NEWEST - 2), registration=sights.registration(metrics=(latency, slow, errors)))
    await look(both, source, NOW)
    assert len(source.asked) == 2
    assert looks[0][3] == dict.fromkeys(("latency", "slow", "errors"), "parse error")


async def test_a_state_that_cannot_be_read_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> float:
        raise StateUnreadable("written by version 7")

    monkeypatch.setattr(module, "needed_since", unreadable)
    source = Source()
    found = await look(last(NEWEST - 2), source, NOW)
    assert (found.evidence, found.unreadable) == (None, "written by version 7")
    assert source.asked == []


def test_a_pod_that_is_gone_stays_in_the_roster_with_the_time_it_went() -> None:
    one = pod(sights.SLOTS[0], NOW - 100)
    kept = merge((one,), (), NOW)
    assert kept == (replace(one, deleted=NOW),)
    assert merge(kept, (), NOW + 50) == kept


def test_the_first_readiness_counts_and_a_new_pod_joins() -> None:
    one = pod(sights.SLOTS[0], NOW - 100, ready=NOW - 90)
    again = replace(one, ready=NOW - 10)
    other = pod(sights.SLOTS[1], NOW - 5)
    assert merge((one,), (again, other), NOW) == (one, other)
    late = replace(one, ready=None, node="")
    assert merge((late,), (one,), NOW) == (one,)


def test_only_pods_that_can_have_samples_are_asked_for() -> None:
    one, other = pods()
    assert names((replace(one, deleted=NOW - 10), other), NOW - 5) == (other.name,)
    assert names((replace(one, deleted=NOW - 5), other), NOW - 5) == (other.name, one.name)
