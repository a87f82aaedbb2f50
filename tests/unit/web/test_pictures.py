"""Pictures fit where they are looked at, and show nothing that is not so."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from causal_rollouts.analysis.opinion import Doubted, Kind, MetricOpinion, Opinion, Question, Span
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.segment import Axis, Segment, SegmentEvidence
from causal_rollouts.web.checks import checks
from causal_rollouts.web.figure import figure
from causal_rollouts.web.forest import Estimate, Forest, forest
from causal_rollouts.web.layout import BROAD, SLIM
from causal_rollouts.web.opinion_plots import opinion_plots
from causal_rollouts.web.plot import Line, Mark, Plot, svg
from causal_rollouts.web.release_plots import release_plots
from causal_rollouts.web.report import page
from causal_rollouts.web.table import table
from tests.unit.decision.situations import evidence
from tests.unit.web.records import BEGIN, record
from tests.unit.web.test_report import with_evidence

LETTER = 6.5
"""About the widest a letter of 11.5 pixels is on average."""

LAYOUTS = pytest.mark.parametrize("layout", [BROAD, SLIM], ids=["broad", "slim"])


def drawn(picture, layout, name="x"):
    draw = forest if isinstance(picture, Forest) else svg
    return ET.fromstring(draw(picture, name, layout))  # noqa: S314 - our own text


def sides(element):
    """Where a text begins and ends."""
    x, wide = float(element.get("x")), LETTER * len(element.text)
    shift = {"end": wide, "middle": wide / 2}.get(element.get("text-anchor"), 0.0)
    return x - shift, x - shift + wide


def checked(e):
    """The picture of the checks."""
    html = checks(e, 0.95, "c")
    return ET.fromstring(re.search(r"<svg viewBox[^>]*role=.*?</svg>", html, re.DOTALL)[0])  # noqa: S314


def opinion(*said):
    return MetricOpinion("latency", relative=True, said=said, absent=())


def block(begin, effect, half=0.05):
    return Span(begin, begin + 5, effect, effect - half, effect + half, effect - 2 * half, effect + 2 * half)


STUDY = Opinion(
    Question.NEIGHBOURS,
    "event study",
    Kind.ASYMPTOTIC,
    "parallel trends",
    note="against the last block before",
    spans=(block(-15, 0.0), block(-10, 0.01), block(0, 0.2), block(5, 0.3)),
)
FELT = Opinion(Question.NEIGHBOURS, "change scores, CR2, 3.2 df", Kind.ASYMPTOTIC, "t", 0.2, 0.1, 0.3)
IMPUTED = replace(FELT, method="imputation (Borusyak, Jaravel, Spiess)", lower=-9.0, upper=9.0)
DOUBT = Opinion(
    Question.NEIGHBOURS,
    "breakdown Mbar",
    Kind.MODEL,
    "no block moves further",
    note="Mbar 1.00: steps",
    doubted=(Doubted(0.0, 0.1, 0.3), Doubted(2.0, -0.1, 0.5)),
)


def test_each_picture_is_drawn_for_a_page_and_for_a_phone_and_one_of_them_is_shown():
    html = page("Releases", [record()])
    looks = re.findall(r'<svg viewBox="0 0 (\d+) \d+" class="(\w+)"', html)
    assert set(looks) == {("760", "broad"), ("360", "slim")}
    assert len(looks) % 2 == 0
    assert "figure>svg.slim{display:none" in html
    assert "figure>svg.broad{display:none}figure>svg.slim{display:block}" in html


@LAYOUTS
def test_no_word_is_cut_at_an_edge(layout):
    pictures = [*release_plots(record()), *opinion_plots(opinion(STUDY, FELT, IMPUTED, DOUBT), FELT.question)]
    texts = [e for picture in pictures for e in drawn(picture, layout) if e.tag == "text"]
    assert len(texts) > 50
    for text in texts:
        left, right = sides(text)
        assert left >= 0, text.text
        assert right <= layout.width, text.text


def test_what_lies_beyond_a_picture_is_an_arrow_and_is_told():
    safe = next(plot for plot in release_plots(record()) if plot.title == "errors: evidence for safety")
    arrows = [e for e in drawn(safe, BROAD) if e.get("class") == "dot good" and e.tag == "path"]
    assert len(arrows) == 3
    assert safe.summary.startswith("Last 55.0 nats")
    assert safe.summary.endswith("Arrows point beyond the picture; the highest is 55.0.")
    calm = next(plot for plot in release_plots(record()) if plot.title == "latency: evidence for safety")
    assert "beyond the picture" not in calm.summary


def test_a_frame_without_anything_in_it_says_so():
    calm = tuple(replace(p, log_harm=-math.inf) for p in record().trace)
    plot = next(p for p in release_plots(replace(record(), trace=calm)) if "for harm" in p.title)
    assert "no metric showed harm beyond its margin" in svg(plot, "x")
    assert 'class="legend"' not in figure(plot, "x")


def test_a_pre_period_is_told_from_the_release():
    made = record()
    before = replace(made.release.timeline[0], time=BEGIN + 30, stage=None)
    timed = replace(made, release=replace(made.release, timeline=(before, *made.release.timeline)))
    marks = [(m.label, m.at) for m in next(iter(release_plots(timed))).events]
    assert marks[:2] == [("both arms stable", 0.5), ("candidate", 1.0)]
    assert "candidate" not in str(next(iter(release_plots(made))).events)


def test_points_that_are_no_course_are_not_joined():
    plot = Plot(
        "t", "", "s", 2.0, 0.0, 1.0, lines=[Line("l", [(0.0, 0.0), (1.0, 1.0)], "canary", joined=False)]
    )
    tags = [e.tag for e in drawn(plot, BROAD) if "canary" in (e.get("class") or "")]
    assert tags == ["circle", "circle"]


def test_an_event_study_is_a_picture_with_bars_and_a_band_with_a_gap():
    (plot,) = opinion_plots(opinion(STUDY), STUDY.question)
    assert (plot.begin, plot.end) == (-15, 10)
    assert "+35.0% (+28.4% to +41.9%); the band leaves zero in 2 of 4 blocks" in plot.summary
    picture = drawn(plot, BROAD)
    assert len([e for e in picture if e.get("class") == "band wide"]) == 2
    assert len([e for e in picture if e.get("class") == "band canary" and e.tag == "rect"]) == 4


def test_estimates_stand_side_by_side_and_an_interval_beyond_has_arrows():
    (picture,) = opinion_plots(opinion(FELT, IMPUTED), FELT.question)
    assert [row.label for row in picture.rows] == ["change scores", "imputation"]
    assert "change scores +22.1% (+10.5% to +35.0%)" in picture.summary
    arrows = [e for e in drawn(picture, SLIM) if e.tag == "path" and e.get("class") == "dot canary"]
    assert len(arrows) == 2
    assert list(opinion_plots(opinion(FELT), FELT.question)) == []
    assert list(opinion_plots(opinion(FELT, IMPUTED), Question.RAMP)) == []


def test_doubt_widens_an_interval_in_a_picture():
    (plot,) = opinion_plots(opinion(DOUBT), DOUBT.question)
    assert [point[0] for point in plot.bands[0].points] == [0.0, 2.0]
    assert plot.summary == "Mbar 1.00: steps. No block moves further."
    assert (plot.low < 0.0 < plot.high, plot.end) == (True, 2.0)


def test_segments_with_an_effect_stand_side_by_side_against_the_margin():
    def part(value, effect):
        return SegmentEvidence(
            Segment("latency", Axis.ZONE, value), effect, effect - 0.1, effect + 0.1, 0.0, 0.05, acts=False
        )

    seen = evidence(segments=(part("a", 0.0), part("b", 0.3), part("c", math.nan)))
    html = page("Releases", [with_evidence(record(), segments=seen.segments)])
    assert "latency: effect in each segment" in html
    assert "latency[zone=b] +35.0% (+22.1% to +49.2%). Harm is counted from +5.13%." in html
    alone = page("Releases", [with_evidence(record(), segments=seen.segments[1:])])
    assert "effect in each segment" not in alone


def test_checks_are_shown_as_shares_of_their_bounds():
    found = (
        Check(CheckName.OVERLAP, 0.75, 0.5, ok=True, note=""),
        Check(CheckName.AGE, 1.5, 2.0, ok=True, note=""),
        Check(CheckName.BALANCE, 1.0, 2 / 3, ok=False, note=""),
        Check(CheckName.LOAD, math.nan, 0.05, ok=None, note=""),
    )
    html = checks(evidence(checks=found), 0.95, "c")
    for said in ("Overlap 50%", "Age 50%", "Balance 150%", "Load unknown"):
        assert said in html
    looks = [e.get("class") for e in checked(evidence(checks=found)) if e.tag == "circle"]
    assert looks.count("dot bad") == 1


def test_a_cell_says_its_column_and_what_it_is_to_a_screen_reader():
    html = table(
        ("Why <x>",), [("short",), ("+31.4% (+23.6% to +39.6%)",), ("a sentence that goes on " * 3,)]
    )
    assert re.findall(r'<td role="cell" class="(\w+)" data-of="Why &lt;x&gt;">', html) == [
        "short",
        "number",
        "prose",
    ]
    assert html.count('role="row"') == 4
    assert "tabindex" not in html
    assert 'tabindex="0" role="region" aria-label="All"' in table(("a",), [("b",)], scrolls="All")


def test_marks_of_a_forest_turn_away_from_the_edges():
    marks = [Mark("near the left", 0.0, "zero"), Mark("near the right", 100.0, "bad")]
    picture = Forest("t", "%", "s", [Estimate("one", 50, 20, 70, "50%")], 0.0, 100.0, marks)
    for layout in (BROAD, SLIM):
        for text in drawn(picture, layout):
            if text.tag == "text":
                assert 0 <= sides(text)[0] <= sides(text)[1] <= layout.width
