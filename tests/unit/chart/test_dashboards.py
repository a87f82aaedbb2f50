"""The dashboards as Grafana would load them, as far as its model can be held against them without it."""

import itertools
import json
import re
from typing import Any

import pytest
import yaml

from causal_rollouts.model.reasons import Outcome, Reason
from e2e.chart.dashboards import files
from e2e.chart.dashboards.asked import drawn_by
from e2e.chart.dashboards.grafana import COLUMNS
from e2e.chart.helm import ROOT, objects

Json = dict[str, Any]
COMMITTED = {path.name: path.read_text() for path in files.FOLDER.glob("*.json")}
DASHBOARDS: dict[str, Json] = {name: json.loads(text) for name, text in COMMITTED.items()}
KINDS = {"row", "text", "stat", "table", "bargauge", "timeseries", "state-timeline"}
"""Of panels that every Grafana has."""

UNITS = re.compile(r"^(short|percentunit|s|suffix: \w+)$")
BUILT_IN = {"__range", "__rate_interval", "__interval", "__data"}
IN_USE = ("dashboards.enabled=true", "prometheusRule.runbooks=https://wiki/rollouts/")

each = pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)


def drawn(board: Json) -> list[Json]:
    """Panels that ask for something."""
    return [panel for panel in board["panels"] if panel["type"] not in {"row", "text"}]


def inside(value: Any, key: str) -> list[Any]:
    """Everything of that name, however deep."""
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == key] + [f for v in value.values() for f in inside(v, key)]
    return [found for inner in value for found in inside(inner, key)] if isinstance(value, list) else []


def overlap(a: Json, b: Json) -> bool:
    return (
        a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    )


def test_what_is_committed_is_what_the_description_says():
    assert set(COMMITTED) == {"executives.json", "on-call.json", "debug.json"}
    assert files.texts() == COMMITTED, "run `make manifests`"


@each
def test_it_is_a_dashboard_that_can_be_linked_to_and_loaded_twice(board: Json):
    assert board["id"] is None
    assert re.fullmatch(r"causal-rollouts-[a-z-]{1,24}", board["uid"])
    assert board["schemaVersion"] >= 36, "before it a data source was a name"
    assert board["title"]
    assert board["description"]
    assert {"from", "to"} == set(board["time"])
    assert len({other["uid"] for other in DASHBOARDS.values()}) == len(DASHBOARDS)
    (links,) = board["links"]
    assert set(links["tags"]) <= set(board["tags"])


@each
def test_panels_have_ids_of_their_own_and_do_not_overlap(board: Json):
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert 0 < place["w"] <= COLUMNS - place["x"]
        assert place["h"] > 0
    for one, other in itertools.combinations(board["panels"], 2):
        assert not overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


@each
def test_each_panel_says_what_it_answers_and_in_which_unit(board: Json):
    titles = [panel["title"] for panel in board["panels"]]
    assert all(titles)
    assert len(set(titles)) == len(titles)
    for panel in board["panels"]:
        assert panel["type"] in KINDS
        assert panel["type"] == "row" or len(panel["description"]) > 20, panel["title"]
    for panel in drawn(board):
        assert UNITS.match(panel["fieldConfig"]["defaults"]["unit"]), panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs) > 0


@each
def test_the_source_is_chosen_by_who_looks(board: Json):
    (source,) = (v for v in board["templating"]["list"] if v["type"] == "datasource")
    assert source["query"] == "prometheus"
    asked = inside(board, "datasource")
    assert asked
    assert all(found == {"type": "prometheus", "uid": f"${{{source['name']}}}"} for found in asked)


@each
def test_variables_are_those_that_there_are(board: Json):
    names = {variable["name"] for variable in board["templating"]["list"]}
    assert {"namespace", "rollout"} <= names
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board["panels"])))
    assert used <= names | BUILT_IN
    assert names - {"datasource"} <= used, "a choice that changes nothing"
    assert {panel["repeat"] for panel in board["panels"] if "repeat" in panel} <= names


@each
def test_a_panel_that_is_repeated_has_a_line_to_itself(board: Json):
    for panel in board["panels"]:
        if "repeat" in panel:
            assert panel["gridPos"]["w"] == COLUMNS
            assert f"${panel['repeat']}" in panel["title"]


@each
def test_an_override_names_a_line_or_a_column_that_there_is(board: Json):
    for panel in drawn(board):
        lines = {target["legendFormat"] for target in panel["targets"]}
        columns = set()
        for step in panel.get("transformations", []):
            columns |= set(step["options"].get("indexByName", {}))
            columns |= set(step["options"].get("renameByName", {}).values())
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["options"] in lines | columns, panel["title"]


@each
def test_lines_of_one_panel_can_be_told_apart(board: Json):
    for panel in drawn(board):
        if panel["type"] in {"timeseries", "state-timeline", "bargauge"}:
            legends = [target["legendFormat"] for target in panel["targets"]]
            assert len(set(legends)) == len(legends)
            many = [t for t in panel["targets"] if " by (" in t["expr"] and not drawn_by(t["legendFormat"])]
            assert not many or board["uid"].endswith("debug"), "only there one rollout is chosen"


def test_outcomes_and_reasons_that_are_asked_for_can_happen():
    text = "".join(COMMITTED.values()).replace("\\", "")
    for kind, words in (("outcome", Outcome), ("reason", Reason)):
        asked = {
            word for found in re.findall(rf'{kind}(?:=~|!=|=)"([^"$]+)"', text) for word in found.split("|")
        }
        assert asked
        assert asked <= {str(word) for word in words}


def test_every_alert_leads_to_its_runbook():
    board = DASHBOARDS["on-call.json"]
    (text,) = (panel for panel in board["panels"] if panel["type"] == "text")
    pages = set(re.findall(r"\$\{runbooks\}([\w.-]+)", text["options"]["content"]))
    assert pages == {path.name for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    (table,) = (panel for panel in drawn(board) if panel["title"] == "Firing alerts")
    told = set(re.findall(r'"runbook", "([\w-]+)"', table["targets"][0]["expr"]))
    assert {f"{page}.md" for page in told} == pages
    (url,) = {link["url"] for links in inside(table, "value") if isinstance(links, list) for link in links}
    assert url == "${runbooks:raw}${__data.fields.runbook}.md"


def configs(*values: str) -> list[Json]:
    return [
        o for o in objects(*values) if o["kind"] == "ConfigMap" and "-dashboard-" in o["metadata"]["name"]
    ]


def test_the_chart_brings_none_unless_asked_for():
    assert configs() == []


def test_the_chart_brings_each_for_the_sidecar_to_find():
    found = configs("dashboards.enabled=true")
    names = {f"causal-rollouts-dashboard-{name.removesuffix('.json')}" for name in COMMITTED}
    assert {config["metadata"]["name"] for config in found} == names
    for config in found:
        assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert "annotations" not in config["metadata"]
        ((name, text),) = config["data"].items()
        assert name.startswith("causal-rollouts-")
        assert json.loads(text) == DASHBOARDS[name.removeprefix("causal-rollouts-")]
        assert len(yaml.safe_dump(config)) < 1 << 20, "a ConfigMap holds no more"


def test_the_sidecar_of_an_owner_may_ask_for_another_label_and_a_folder():
    labels = ("dashboards.labels.grafana_dashboard=null", "dashboards.labels.dashboards=shop")
    (config, *_) = configs(*IN_USE, *labels, "dashboards.annotations.grafana_folder=Rollouts")
    assert config["metadata"]["labels"]["dashboards"] == "shop"
    assert "grafana_dashboard" not in config["metadata"]["labels"]
    assert config["metadata"]["annotations"] == {"grafana_folder": "Rollouts"}


def test_runbooks_are_those_of_the_alerts():
    given = [json.loads(next(iter(config["data"].values()))) for config in configs(*IN_USE)]
    (board,) = (board for board in given if board["uid"].endswith("on-call"))
    (runbooks,) = (v for v in board["templating"]["list"] if v["name"] == "runbooks")
    assert runbooks["query"] == runbooks["current"]["value"] == "https://wiki/rollouts/"
    assert "docs/runbooks" not in json.dumps(given)
