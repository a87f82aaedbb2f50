"""Whatever bytes a metrics source sends: series, or one of the port's own failures, and never its words."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.adapters.prometheus_answer import read, refuse
from causal_rollouts.ports import Broken, Refused
from tests.contract.metric_faults import CANARY

LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**308, 10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["NaN", "+Inf", "1e999", "matrix", "vector", "success", "error", CANARY]),
)
TREE = st.recursive(
    LEAF,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=6), inside, max_size=4),
)
SAMPLE = st.lists(LEAF, max_size=3) | TREE
ENTRY = st.fixed_dictionaries({}, optional={"metric": TREE, "values": st.lists(SAMPLE, max_size=4) | TREE})
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["success", "error"]) | TREE,
        "errorType": st.sampled_from(["bad_data", "timeout"]) | TREE,
        "error": st.just(CANARY) | TREE,
        "warnings": st.just([CANARY]) | TREE,
        "data": TREE
        | st.fixed_dictionaries(
            {"resultType": st.just("matrix")}, optional={"result": st.lists(ENTRY | TREE, max_size=4) | TREE}
        ),
    },
)
SOUND = st.builds(
    lambda result: {"status": "success", "data": {"resultType": "matrix", "result": result}},
    st.lists(ENTRY, max_size=4),
)


def taken(body: bytes, status: int = 200) -> None:
    told, found = "", ()
    try:
        refuse(status, body)
        found = read(body, start=0.0, end=2e9, rename={"p": "pod"})
    except (Broken, Refused) as error:
        told = str(error)
    assert CANARY not in told
    assert len(told) < 200
    for series in found:
        assert list(series.times) == sorted(series.times)
        assert all(0 < time <= 2e9 for time in series.times)
        assert all(isinstance(text, str) for pair in series.labels.items() for text in pair)


@settings(max_examples=600, deadline=None)
@given(ANSWER | SOUND | TREE, st.sampled_from([200, 200, 200, 400, 422, 302, 429, 503]))
def test_any_json(tree: object, status: int) -> None:
    taken(json.dumps(tree).encode(), status)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([200, 400]))
def test_any_bytes(body: bytes, status: int) -> None:
    taken(body, status)


def test_a_pile_of_brackets() -> None:
    for body in (b"[" * 200_000, b'{"a":' * 100_000, b"9" * 100_000):
        taken(body)
        taken(body, 400)
