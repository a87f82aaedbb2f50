"""Whose turn it is among releases that may not all run at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.situation import Facts
from causal_rollouts.decision.turn import must_let_pass, shared, waits_for
from causal_rollouts.model.crowd import Limits, Other
from causal_rollouts.model.reasons import Act, Phase, Reason
from causal_rollouts.model.world import Key
from tests.unit.decision.situations import good_stage

ONE_EACH = Limits(namespace=1, cluster=3)


def other(name: str, waiting: float | None = None, **more: object) -> Other:
    namespace, _, short = name.partition("/")
    return Other(Key(namespace, short), waiting, **more)  # type: ignore[arg-type]


def test_a_namespace_that_is_full_waits_and_names_who_runs() -> None:
    said = waits_for(other("shop/checkout", 9.0), (other("shop/cart"), other("bank/pay")), ONE_EACH)
    assert said == "1 of 1 releases run in namespace shop: shop/cart"
    assert waits_for(other("shop/checkout", 9.0), (other("bank/pay"),), ONE_EACH) == ""


def test_room_that_comes_free_is_not_taken_past_who_waits_longer() -> None:
    running = (other("a/x"), other("b/x"))
    assert waits_for(other("c/late", 9.0), (*running, other("d/early", 5.0)), ONE_EACH) != ""
    assert waits_for(other("d/early", 5.0), (*running, other("c/late", 9.0)), ONE_EACH) == ""


def test_who_waits_for_its_own_namespace_keeps_nobody_else_waiting() -> None:
    assert waits_for(other("b/x", 9.0), (other("a/x"), other("a/y", 1.0)), ONE_EACH) == ""


def test_an_overlap_is_waited_for_and_named() -> None:
    apart = Limits(forbid_overlap=True)
    mine = other("shop/checkout", 9.0, nodes=("n1", "n2"), routes=("HTTPRoute/edge",))
    assert waits_for(mine, (other("bank/pay", nodes=("n2",)),), apart) == "bank/pay runs on the same nodes n2"
    assert "same routes HTTPRoute/edge" in waits_for(
        mine, (other("shop/cart", routes=("HTTPRoute/edge",)),), apart
    )
    elsewhere = other("bank/pay", nodes=("n3",), routes=("HTTPRoute/edge",))
    assert waits_for(mine, (elsewhere,), apart) == ""
    assert "waits longer" in waits_for(mine, (elsewhere, other("bank/early", 1.0)), apart)


def test_all_that_is_shared_is_named_and_routes_only_within_a_namespace() -> None:
    apart = Limits(forbid_overlap=True)
    routes = ("HTTPRoute/a", "HTTPRoute/b")
    mine = other("shop/checkout", 9.0, nodes=("n1", "n2"), routes=(*routes, "HTTPRoute/mine"))
    two = other("bank/pay", nodes=("n2", "n1", "n3"))
    assert waits_for(mine, (two,), apart) == "bank/pay runs on the same nodes n1, n2"
    beside = other("shop/cart", routes=("HTTPRoute/b", "HTTPRoute/a", "HTTPRoute/theirs"))
    said = "shop/cart runs on the same routes HTTPRoute/a, HTTPRoute/b"
    assert waits_for(mine, (beside,), apart) == said
    assert shared(mine, beside) == ((), routes)


def test_a_release_does_not_wait_for_itself() -> None:
    me = other("shop/a", 3.0)
    assert must_let_pass(me, (other("shop/a"),), ONE_EACH) == ""


def test_who_has_begun_is_waited_for_by_who_asked_long_ago() -> None:
    early = other("shop/z", 1.0)
    assert must_let_pass(early, (other("shop/b", begun=True),), ONE_EACH) != ""


def test_of_two_that_begin_at_one_moment_exactly_one_goes_on() -> None:
    a, b = other("shop/a"), other("shop/b")
    assert (must_let_pass(a, (b,), ONE_EACH), must_let_pass(b, (a,), ONE_EACH) != "") == ("", True)
    begun = other("shop/b", begun=True)
    assert must_let_pass(a, (begun,), ONE_EACH) != ""


NAMES = st.sampled_from([f"{namespace}/{name}" for namespace in "abc" for name in "uvwxyz"])


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(NAMES, st.floats(1, 100), min_size=1, max_size=12),
    st.integers(0, 2),
    st.integers(1, 4),
    st.randoms(),
)
def test_everybody_gets_a_turn_and_no_limit_is_ever_passed(line, near, whole, chance) -> None:
    """Releases end in any order; who may begin does. The line is empty after as many ends as there were."""
    limits = Limits(near, whole)
    waiting, running = {k: other(k, since) for k, since in line.items()}, []
    for _ in range(2 * len(line) + 1):
        for name in chance.sample(sorted(waiting), len(waiting)):
            rest = tuple(o for key, o in waiting.items() if key != name)
            if not waits_for(waiting[name], (*rest, *running), limits):
                running.append(other(name))
                del waiting[name]
        assert len(running) <= whole
        assert not near or all(sum(r.key.namespace == n for r in running) <= near for n in "abc")
        assert running or not waiting
        if running:
            running.remove(chance.choice(running))
    assert not waiting


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.OBSERVING])
def test_only_a_release_that_prepares_lets_others_pass(phase: Phase) -> None:
    stage = -1 if phase is Phase.PREPARING else 0
    decision = decide(good_stage(phase=phase, stage=stage, facts=Facts(others="1 of 1 releases run")))
    assert (decision.reason is Reason.WAITING_FOR_OTHERS) == (phase is Phase.PREPARING)
    assert decision.act is (Act.HOLD if phase is Phase.PREPARING else Act.ADVANCE)
