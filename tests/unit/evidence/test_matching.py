"""Matchers mean what they mean in Prometheus, whoever wrote them."""

import pytest

from causal_rollouts.evidence.matching import BadPattern, Patterns, anchored
from causal_rollouts.model.metrics import Matcher


def matches(pattern: str, value: str) -> bool:
    return Patterns((Matcher((("code", pattern),)),), "bad").match({"code": value})


@pytest.mark.parametrize(
    ("pattern", "value", "is_match"),
    [
        ("5..", "503", True),
        ("5..", "1503", False),
        ("5.|x", "5a", True),
        ("", "", True),
        (".*", "a\nb", True),
        (r"\d+", "42", True),
        (r"\d+", "\u0664\u0662", False),
        ("(?i)get", "GET", True),
        ("a$", "a\n", False),
    ],
)
def test_a_pattern_is_anchored_and_read_as_prometheus_reads_it(pattern, value, is_match) -> None:
    assert matches(pattern, value) is is_match


def test_a_label_that_is_absent_is_the_empty_text() -> None:
    assert Patterns((Matcher((("code", "5..|"),)),), "bad").match({})


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "5(..", "a{2000}", "*"])
def test_what_is_not_in_the_dialect_is_said_with_its_place(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"bad: .*is no regular expression of Prometheus"):
        Patterns((Matcher((("code", pattern),)),), "bad")


def test_no_pattern_can_keep_the_operator_busy() -> None:
    """A backtracking engine would be at it for longer than the universe stands."""
    assert anchored("(a|aa)+b").fullmatch("a" * 5000) is None
