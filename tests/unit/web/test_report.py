"""The report: whole, safe to open, readable without eyes, and true to the record."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from causal_rollouts.api.plain import to_plain
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.evidence import Evidence, MetricEvidence, Process, ShareTest
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.reasons import Phase, Validity
from causal_rollouts.web.plot import svg
from causal_rollouts.web.release_plots import release_plots
from causal_rollouts.web.report import page
from tests.unit.decision.situations import evidence, metric
from tests.unit.web.records import BEGIN, LATENCY, record

HOSTILE = """</svg><script>alert(1)</script>"'&<b onload=x>"""


def pictures(html):
    """Every SVG with a name, parsed as XML."""
    found = re.findall(r"<svg viewBox[^>]*role=.*?</svg>", html, re.DOTALL)
    return [ET.fromstring(text) for text in found]  # noqa: S314 - our own text


def bare(html):
    """Tables without what makes them cards on a phone."""
    return re.sub(r"<(t[drh]) [^>]*>", r"<\1>", html)


def plots(made):
    return {plot.title: plot for plot in release_plots(made)}


def effect(made, name="latency"):
    return plots(made)[f"{name}: effect of the candidate against baseline"]


def test_every_picture_is_well_formed_and_has_a_name_and_a_description():
    html = page("Releases", [record(), record("checkout-8")])
    found = pictures(html)
    assert len(found) == 2 * 12
    ids = [element.get("id") for picture in found for element in picture.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) == 2 * 24
    for picture in found:
        named = picture.get("aria-labelledby").split()
        texts = {e.get("id"): e.text for e in picture if e.get("id")}
        assert set(named) == set(texts)
        assert all(len(text) > 5 for text in texts.values())


def test_the_page_loads_nothing_and_runs_nothing():
    html = page("Releases", [record()])
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|//[a-z]|<script|<link|<img|@import|url\(|\bon[a-z]+=", html)


@pytest.mark.parametrize("where", ["title", "name", "because", "metric", "story"])
def test_hostile_words_stay_words(where):
    words = {
        key: HOSTILE if key == where else "plain" for key in ("title", "name", "because", "metric", "story")
    }
    made = record(words["name"], words["because"], (replace(LATENCY, name=words["metric"]),))
    trace = tuple(
        replace(p, readings=tuple(replace(r, name=words["metric"]) for r in p.readings[:1]))
        for p in made.trace
    )
    html = page(words["title"], [replace(made, trace=trace)], [words["story"]])
    assert "<script" not in html
    assert "<b onload" not in html
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    assert len(pictures(html)) >= 3
    for value in re.findall(r'(?:id|href)="([^"]*)"', html):
        assert re.fullmatch(r"#?r\d+(p\d+s?(-[td])?)?", value), value


def test_no_number_of_the_page_is_nan_or_infinite():
    html = page("Releases", [record()])
    assert not re.search(r"\bnan\b|\binf\b|[+-]nan|e\+0", html.replace("Infinity", ""))


def test_what_is_unknown_is_a_gap_and_a_lone_look_is_a_dot():
    picture = ET.fromstring(svg(effect(record()), "x"))  # noqa: S314
    lines = [e for e in picture if e.get("class") == "line canary"]
    dots = [e for e in picture if e.get("class") == "dot canary"]
    bars = [e for e in picture if e.get("class") == "band canary" and e.tag == "rect"]
    assert len(lines) == 1
    assert len(dots) == 3
    assert len(bars) == 1
    assert float(bars[0].get("height")) > 0


def test_an_interval_without_an_end_is_told_so():
    looks = record().trace
    assert "with no bound yet" not in effect(record(), "errors").summary
    open_ended = replace(record(), trace=looks[:4])
    assert "at most +200.4%" in effect(open_ended, "errors").summary


def test_effect_is_drawn_against_both_margins():
    marks = {mark.label: round(mark.at, 6) for mark in effect(record()).levels}
    assert marks == {"no effect": 0.0, "harm margin +5%": 5.0, "safe margin +10%": 10.0}
    assert effect(record()).summary == (
        "Last +49.2%, between +28.4% and +82.2%. Harm is counted from +5%; safe is below +10%."
    )


def test_margins_in_points_are_those_of_the_evidence():
    judged = MetricEvidence(
        "errors", MetricKind.ERRORS, Gating.BOTH, Validity.OK, 0.1, -1.0, 1.0, 0.0, 1.0, 0.0,
        math.log(3.0), math.log(5.0), 1.0, 3.0,
    )  # fmt: skip
    share = ShareTest(True, 500.0, 0.1, 0.1)
    evidence = Evidence(
        1, 0.0, 4.6, (), (judged,), share, Validity.OK, "", True, 0.0, 0.1, 0.0, 4.6, 1.0, 9
    )  # fmt: skip
    made = record()
    logged = replace(made.decisions[-1], evidence=to_plain(evidence))
    marks = effect(replace(made, decisions=(*made.decisions[:-1], logged)), "errors").levels
    assert [round(mark.at) for mark in marks] == [0, 200, 400]


def test_evidence_for_harm_stands_against_the_error_budget():
    plot = plots(record())["Evidence for harm, all metrics together"]
    assert plot.summary == "It reached 7.5 nats; the release is reverted at 4.6."
    assert [round(mark.at, 3) for mark in plot.levels] == [4.605]


def test_safety_stands_against_what_its_own_kind_must_show():
    marks = {
        name: [m.at for m in plots(record())[f"{name}: evidence for safety"].levels]
        for name in ("latency", "errors")
    }
    assert marks == {"latency": [1.0, 2.5], "errors": [1.0, 3.0]}
    assert "restarts: evidence for safety" not in plots(record())


def test_weights_are_those_of_the_timeline():
    plot = plots(record())["Share of traffic"]
    canary, baseline = (line.points for line in plot.lines)
    assert canary == [(0.0, 0.0), (1.0, 10.0), (5.0, 30.0), (590 / 60, 0.0), (10.0, 0.0)]
    assert baseline[2] == (5.0, 20.0)
    assert "reached 30% and is 0% at the end" in plot.summary


def test_pictures_of_a_release_share_one_axis_and_its_decisions():
    made = list(release_plots(record()))
    assert {plot.end for plot in made} == {10.0}
    assert {tuple((m.label, round(m.at, 2)) for m in plot.events) for plot in made} == {
        (("Advance", 4.98), ("Revert", 9.83))
    }


def test_words_never_lie_on_each_other():
    close = replace(LATENCY, margins=replace(LATENCY.margins, revert_above=0.099))
    picture = ET.fromstring(svg(effect(record(metrics=(close,))), "x"))  # noqa: S314
    notes = [e for e in picture if (e.get("class") or "").startswith("note") and e.get("x") == "618"]
    places = sorted(float(e.get("y")) for e in notes)
    assert len(places) == 3
    assert all(b - a >= 13 for a, b in pairwise(places))


def test_every_look_is_there_in_numbers_too():
    html = page("Releases", [record()])
    table = bare(html).partition("Every look in numbers")[2]
    assert table.count("<tr>") == 1 + 5
    assert "+49.2% (+28.4% to +82.2%); safe -4.0" in table


def test_a_release_that_has_just_begun_has_a_report():
    begun = record(phase=Phase.PREPARING, outcome=None, why="", timeline=(), stage=-1, since=BEGIN)
    html = page("Releases", [replace(begun, trace=(), decisions=(), final=False)])
    assert "Preparing" in html
    assert "running" in html
    assert len(pictures(html)) == 2


def test_no_release_at_all_is_a_page_too():
    assert "<h1>None yet</h1>" in page("None yet", [])


def with_evidence(made, **changes):
    """The record with evidence beside its last decision."""
    seen = evidence(**changes)
    last = replace(made.decisions[-1], evidence=to_plain(seen))
    return replace(made, decisions=(*made.decisions[:-1], last))


def test_checks_of_the_design_stand_with_their_bounds():
    failed = Check(CheckName.BALANCE, 1.0, 2 / 3, ok=False, note="places of the canary <a>")
    html = bare(page("Releases", [with_evidence(record(), checks=(failed,))]))
    assert "May the comparison be believed?" in html
    assert "<td>Balance</td><td>1</td><td>0.667</td><td>fails: places of the canary &lt;a&gt;</td>" in html
    assert "<td>Completeness</td><td>100.0%</td><td>95% or more</td>" in html


def test_harm_is_attributed_to_the_metrics_that_show_it_and_to_no_other():
    third = math.log(1 / 3)
    processes = (
        Process("latency", MetricKind.LATENCY, 1, 8.0, third),
        Process("errors", MetricKind.ERRORS, 1, 4.0, third),
        Process("restarts", MetricKind.RESTARTS, 1, -math.inf, third),
    )
    html = page("Releases", [with_evidence(record(), processes=processes)])
    # Three metrics at 5%: the largest needs log 60 = 4.1 nats, two together log 30 = 3.4 each.
    assert "Harm is shown for latency, errors (false" in html
    alone = (processes[0], replace(processes[1], log_e=3.3), processes[2])
    assert "Harm is shown for latency (false" in page("Releases", [with_evidence(record(), processes=alone)])


def test_what_an_effect_stands_against_is_said_where_it_is_not_what_was_planned():
    fallen = metric(note="<b> fewer than two nodes")
    html = page("Releases", [with_evidence(record(), metrics=(fallen,))])
    assert "<li>latency: &lt;b&gt; fewer than two nodes</li>" in html
    assert "<li>latency" not in page("Releases", [with_evidence(record())])


def test_what_a_naive_comparison_would_have_said_stands_beside_the_effect():
    metrics = (metric(name="latency", naive=math.log(0.8)), metric(name="errors"))
    html = bare(page("Releases", [with_evidence(record(), metrics=metrics)]))
    assert "<td>+49.2% (+28.4% to +82.2%)</td><td>-20.0%</td>" in html
    assert "Nothing is decided by it." in html
    assert "-20.0%" not in page("Releases", [record()])
