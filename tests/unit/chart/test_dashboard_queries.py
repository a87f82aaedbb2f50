"""Every query of the dashboards, evaluated by promtool over what the operator exported in two releases."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.chart.dashboards import files, promql
from e2e.chart.dashboards.asked import ASKED, Asked
from e2e.chart.dashboards.files import FOLDER
from e2e.chart.dashboards.grafana import Panel
from e2e.chart.helm import ROOT
from tests.unit.chart.promql import metrics, selectors
from tests.unit.chart.scraped import SCRAPE, Scraped, told
from tests.unit.chart.test_alerts import RULES, promtool

BUILT_IN = {"ALERTS"}
"""What Prometheus itself makes."""

TARGET = {"job": "operator", "instance": "10.0.0.7:8080"}
FORMER = {"job": "operator", "instance": "10.0.0.8:8080"}
ALL = "[3h:30s]"
"""The whole story, in steps of a scrape."""

PER_ROLLOUT = "causal_rollouts_(?:rollout|release|record|pass)s?_"


@pytest.fixture(scope="module")
def scraped() -> Scraped:
    return told()


def evaluate(folder: Path, series: list[dict[str, str]], tests: list[dict[str, Any]]) -> str:
    """What promtool says of queries and the answers that are expected of them."""
    shutil.copy(RULES, folder / "alerts.yaml")
    story = {"interval": f"{SCRAPE}s", "input_series": series, "promql_expr_test": tests}
    whole = {"rule_files": ["alerts.yaml"], "evaluation_interval": f"{SCRAPE}s", "tests": [story]}
    (folder / "story.yaml").write_text(yaml.safe_dump(whole, width=10_000))
    return promtool("test", "rules", folder / "story.yaml")


def expect(expr: str, at: int, *samples: tuple[str, float]) -> dict[str, Any]:
    found = [{"labels": labels, "value": value} for labels, value in samples]
    return {"expr": expr, "eval_time": f"{at}s", "exp_samples": found}


def some(expr: str) -> str:
    """1 if the query gives anything at any moment."""
    return f"count(last_over_time(({expr}){ALL})) > bool 0"


def labelled(expr: str, label: str) -> str:
    """1 if anything that it gives has the label."""
    found = f"last_over_time(({expr}){ALL})"
    return f"count(count by ({label}) ({found}) unless count({found})) > bool 0"


def test_each_query_gives_data_with_the_labels_that_are_shown(tmp_path: Path, scraped: Scraped):
    end = scraped.seconds - SCRAPE
    tests = [expect(some(one.plain), end, ("{}", 1)) for one in ASKED]
    tests += [
        expect(labelled(one.plain, label), end, ("{}", 1)) for one in ASKED for label in sorted(one.labels)
    ]
    assert len(tests) > 100
    assert "SUCCESS" in evaluate(tmp_path, scraped.input_series(**TARGET), tests)


def test_each_column_of_a_table_is_a_label_of_a_query():
    for name, dashboard in files.ALL.items():
        for panel in dashboard.parts:
            if isinstance(panel, Panel):
                given = {
                    label for one in ASKED if one.where == f"{name}: {panel.title}" for label in one.labels
                }
                assert set(panel.labels) <= given, panel.title


def test_a_query_of_another_namespace_gives_none_of_this_one(tmp_path: Path, scraped: Scraped):
    end = scraped.seconds - SCRAPE
    elsewhere = [
        one.plain.replace('"shop"', '"pay"').replace('"shop|"', '"pay|"')
        for one in ASKED
        if selectors(one.expr, PER_ROLLOUT)
    ]
    assert len(elsewhere) > 30
    tests = [expect(f"count(last_over_time(({expr}){ALL}))", end) for expr in elsewhere]
    assert "SUCCESS" in evaluate(tmp_path, scraped.input_series(**TARGET), tests)


def test_each_release_that_ended_is_counted_once_and_in_its_window(tmp_path: Path, scraped: Scraped):
    end = scraped.seconds - SCRAPE
    found = dict(scraped.values)
    first = {dict(labels)["outcome"]: min(at) for (name, labels), at in found.items() if "releases_" in name}
    since = end - (first["Promoted"] + first["Reverted"]) // 2 * SCRAPE
    by_outcome = promql.ended(by="outcome", window="2h")
    lately = promql.ended(by="outcome", window=f"{since}s")
    both = ('{outcome="Promoted"}', 1), ('{outcome="Reverted"}', 1)
    tests = [
        expect(Asked("", by_outcome, frozenset()).plain, end, *both),
        expect(Asked("", lately, frozenset()).plain, end, ('{outcome="Promoted"}', 0), both[1]),
    ]
    assert "SUCCESS" in evaluate(tmp_path, scraped.input_series(**TARGET), tests)


def test_half_of_two_releases_were_reverted_for_harm(tmp_path: Path, scraped: Scraped):
    (share,) = (one.plain for one in ASKED if one.where == "executives: Share reverted for harm")
    tests = [expect(share, scraped.seconds - SCRAPE, ("{}", 0.5))]
    assert "SUCCESS" in evaluate(tmp_path, scraped.input_series(**TARGET), tests)


def test_what_a_former_leader_still_shows_is_left_out(tmp_path: Path, scraped: Scraped):
    end = scraped.seconds - SCRAPE
    long = f"1x{scraped.scrapes}"
    paused = 'causal_rollouts_rollout_phase{namespace="shop", rollout="checkout", phase="Paused", %s}'
    former = ", ".join(f'{name}="{value}"' for name, value in FORMER.items())
    series = [
        *scraped.input_series(**TARGET),
        {"series": f"causal_rollouts_leader{{{former}}}", "values": f"0x{scraped.scrapes}"},
        {"series": paused % former, "values": long},
    ]
    (phase, *_) = (one.plain for one in ASKED if one.where == "on-call: Phase")
    now = '{namespace="shop", rollout="checkout", phase="Reverted"}', 1.0
    assert "SUCCESS" in evaluate(tmp_path, series, [expect(phase, end, now)])


def test_alerts_of_the_rollout_and_of_the_operator_are_both_shown(tmp_path: Path, scraped: Scraped):
    (firing,) = (one.plain for one in ASKED if one.where == "on-call: Firing alerts")
    later = scraped.seconds + 20 * 60
    series = scraped.input_series(**TARGET)
    reverted = (
        '{severity="ticket", alertname="CausalRolloutReverted", namespace="shop", rollout="checkout", '
        'runbook="causal-rollout-reverted"}'
    )
    down = (
        '{severity="page", alertname="CausalRolloutsOperatorDown", runbook="causal-rollouts-operator-down"}'
    )
    tests = [expect(firing, scraped.seconds - SCRAPE, (reverted, 1)), expect(firing, later, (down, 1))]
    gone = [{**one, "values": f"{one['values']} stale"} for one in series]
    assert "SUCCESS" in evaluate(tmp_path, gone, tests)


def test_each_query_asks_for_what_the_operator_serves(scraped: Scraped):
    every = set().union(*(metrics(one.expr) for one in ASKED))
    assert len(every) > 20
    assert every - BUILT_IN <= scraped.names


def test_each_gauge_of_a_release_is_shown_somewhere(scraped: Scraped):
    every = set().union(*(metrics(one.expr) for one in ASKED))
    served = {name for name in scraped.names if name.startswith("causal_rollouts_")}
    assert served - every == {"causal_rollouts_notices_sent_total"}


def test_a_release_has_no_more_series_than_the_page_says(scraped: Scraped):
    page = (ROOT / "docs" / "install.md").read_text()
    told = re.search(r"at most (\d+) series a metric, (\d+) a footprint and (\d+) besides", page)
    assert told
    metric, footprint, besides = map(int, told.groups())
    series = [labels for name, labels in scraped.values if name.startswith("causal_rollouts_release_")]
    assert not {label for labels in series for label, _ in labels} & {"pod", "node", "release"}
    of = {
        key: {dict(labels)[key] for labels in series if key in dict(labels)}
        for key in ("metric", "footprint")
    }
    most = metric * len(of["metric"]) + footprint * len(of["footprint"]) + besides
    # What is not known has no series: here most of a metric that was registered and is never looked at.
    assert most - metric <= len(series) <= most


def test_each_query_is_about_the_rollouts_that_were_chosen():
    for one in ASKED:
        for selector in selectors(one.expr, PER_ROLLOUT):
            assert selector.startswith('{namespace=~"$namespace", rollout=~"$rollout"'), one.where


def test_the_values_to_choose_from_are_labels_that_there_are(scraped: Scraped):
    known = {(name, label) for name, labels in scraped.values for label, _ in labels}
    for text in (path.read_text() for path in FOLDER.glob("*.json")):
        chosen = re.findall(r'"definition": "label_values\((\w+).*, (\w+)\)"', text)
        assert len(chosen) >= 2
        assert set(chosen) <= known


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ('max by (a, b) (x{c="d"} and on (e) y == 1)', {"x", "y"}),
        ('label_replace(round(increase(x_total{a="and {b}"}[5m])), "k", "v", "", "")', {"x_total"}),
        ("min_over_time(x[1h]) unless x offset 1h or vector(0) > bool 2", {"x"}),
    ],
)
def test_names_of_metrics_are_found_in_an_expression(expr: str, names: set[str]):
    assert metrics(expr) == names
