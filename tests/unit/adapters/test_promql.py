"""Nothing from a manifest reaches a query unescaped."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.adapters.promql import over, quoted, selector
from causal_rollouts.ports import Refused, Scope


def test_one_name_stands_before_the_braces_and_several_are_an_anchored_choice():
    scope = Scope("shop", ("web-1", "web.2"))
    assert selector(["a_total"], scope) == r'a_total{namespace="shop",pod=~"web\\-1|web\\.2"}'
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


def test_a_range_is_told_in_milliseconds():
    assert over("a", 30.0) == "a[30000ms]"
    assert over("a", 0.0001) == "a[1ms]"
