"""Footprints and their cost in the report and in what commands print."""

import math
from dataclasses import replace

from causal_rollouts.analysis.cost import costs, prices_of
from causal_rollouts.api.plain import to_plain
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.model.trace import Reading
from causal_rollouts.web.footprints import cost_line, footprints, lines, plain_cost, recorded_prices
from causal_rollouts.web.report import page
from tests.unit.decision.situations import evidence, footprint
from tests.unit.web.records import LATENCY, record

CPU = Metric("cpu", MetricKind.FOOTPRINT, "cpu_total", Margins(0.1, 0.3), Gating.REPORT_ONLY, of="http_total")
PRICED = {"prices": {"value": "cpu=36/core-hour", "from": "operator"}}


def measured(*found, effective=None):
    """A record that was warned of a footprint."""
    plain = record(metrics=(LATENCY, CPU))
    line = replace(plain.decisions[-1], evidence=to_plain(evidence(footprints=found or (footprint(),))))
    return replace(plain, decisions=(*plain.decisions[:-1], line), effective=effective)


def test_the_report_shows_ratio_whole_headroom_and_that_it_is_a_model():
    html = page("r", [measured()])
    for said in (
        "Footprint",
        "+50.0% (+40.0% to +60.0%)",
        "12 a second (11.2 to 12.8)",
        "At 100%, by a model",
    ):
        assert said in html
    assert "+30%" in html
    assert "Exceeded" in html
    assert "Cost" not in html
    assert "Footprint</h3>" not in page("r", [record()])


def test_cost_comes_from_the_records_prices_or_from_those_given():
    html = page("r", [measured(effective=PRICED)])
    assert "0.1 (0.08 to 0.12)" in html
    assert "0.2 (0.16 to 0.24)" in page(
        "r", [measured(effective=PRICED)], prices=prices_of("cpu=72/core-hour")
    )
    assert "Cost" not in page("r", [measured(effective=PRICED)], prices=())


def test_names_from_a_cluster_are_escaped():
    html = page("r", [measured(footprint(name="<script>"))])
    assert "<script>" not in html


def test_the_newest_look_is_told_not_the_one_that_was_logged():
    old = measured()
    newest = replace(old.trace[-1], readings=(Reading("cpu", 0.7, 0.6, 0.8, 20.0, -math.inf),))
    (found,) = footprints(replace(old, trace=(*old.trace, newest)))
    assert (found.effect, found.present) == (0.7, 8.0)


def test_words_and_json_of_the_cost():
    made = measured(effective=PRICED)
    assert lines(made)[0].startswith("cpu +50.0%")
    assert "1,000 requests cost 0.3 on canary and 0.2 on baseline, 0.1 more (0.08 to 0.12)" in lines(made)[1]
    assert recorded_prices(replace(made, effective={"prices": {"value": "cpu=nonsense"}})) == ()
    assert recorded_prices(replace(made, effective=None)) == ()


def test_what_is_not_known_is_null():
    (cost,) = costs(
        (footprint(effect=math.nan, lower=math.nan, upper=math.nan),), prices_of("cpu=36/core-hour")
    )
    assert plain_cost(cost)["difference"] == {"estimate": None, "lower": None, "upper": None}
    assert "unknown more" in cost_line(cost)
