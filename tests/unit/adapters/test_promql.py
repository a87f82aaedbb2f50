"""Nothing from a manifest reaches a query unescaped."""

import re

import promql_parser
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.adapters.promql import LABEL_NAME, METRIC_NAME, over, quoted, selector
from causal_rollouts.ports import Refused, Scope


def test_one_name_is_itself_and_several_are_an_anchored_choice():
    scope = Scope("shop", ("web-1", "web.2"))
    assert selector(["a_total"], scope) == r'{__name__="a_total",namespace="shop",pod=~"web\\-1|web\\.2"}'
    assert selector(["a_total", "b_total"], scope, pod_label="p", namespace_label="n") == (
        r'{__name__=~"a_total|b_total",n="shop",p=~"web\\-1|web\\.2"}'
    )


@pytest.mark.parametrize("name", ["", "a b", 'a{x="y"}', "1a", "a-b", "a}", "ä"])
def test_a_name_that_is_no_name_is_refused(name):
    with pytest.raises(Refused):
        selector([name], Scope("shop", ("web",)))
    with pytest.raises(Refused):
        selector(["a"], Scope("shop", ("web",)), pod_label=name)


def test_without_a_namespace_or_pods_nothing_is_asked():
    for scope in (Scope("", ("web",)), Scope("shop", ())):
        with pytest.raises(Refused):
            selector(["a"], scope)


@given(st.text(max_size=20))
def test_a_value_never_ends_its_string(text):
    inside = quoted(text)[1:-1]
    assert not re.search(r'(?<!\\)(\\\\)*"', inside)
    assert "\n" not in inside


ANYTHING = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ['"} or {__name__=~".+', "web-1|.*", "\\", "\\Q", "`", "#", "a\nb", "sum", "\u2028", "x'", "{{"]
    ),
)
NAME = st.from_regex(METRIC_NAME, fullmatch=True) | st.sampled_from(
    ["sum", "nan", "inf", "by", "offset", "bool"]
)
LABEL = st.from_regex(LABEL_NAME, fullmatch=True) | st.sampled_from(["by", "on", "sum", "__name__"])


@settings(max_examples=300, deadline=None)
@given(
    names=st.lists(NAME | ANYTHING, min_size=1, max_size=3, unique=True),
    namespace=ANYTHING,
    pods=st.lists(ANYTHING.filter(bool), min_size=1, max_size=4),
    labels=st.tuples(LABEL, LABEL),
)
def test_whatever_is_asked_a_parser_of_others_reads_the_namespace_and_the_pods(
    names, namespace, pods, labels
):
    """By the parser of promql-parser, which is none of ours; or nothing is asked at all."""
    try:
        query = selector(names, Scope(namespace, tuple(pods)), pod_label=labels[0], namespace_label=labels[1])
    except Refused:
        assert not namespace or any(not METRIC_NAME.fullmatch(name) for name in names) or "__name__" in labels
        return
    read = promql_parser.parse(over(query, 30.0))
    assert isinstance(read, promql_parser.MatrixSelector)
    vector = read.vector_selector
    assert (vector.name, vector.offset, vector.at, vector.matchers.or_matchers) == (None, None, None, [])
    named, where, who = vector.matchers.matchers
    assert (where.op, where.name, where.value) == (promql_parser.MatchOp.Equal, labels[1], namespace)
    assert (who.op, who.name) == (promql_parser.MatchOp.Re, labels[0])
    for pod in pods:
        assert re2.fullmatch(who.value, pod)
        assert not re2.fullmatch(who.value, pod + "x") or pod + "x" in pods
    assert [bool(re2.fullmatch(named.value, name)) for name in names] == [True] * len(names)


def test_a_label_that_would_take_the_name_of_the_metric_is_refused():
    with pytest.raises(Refused, match="__name__"):
        selector(["a"], Scope("shop", ("web",)), namespace_label="__name__")


def test_a_range_is_told_in_milliseconds():
    assert over("a", 30.0) == "a[30000ms]"
    assert over("a", 0.0001) == "a[1ms]"
