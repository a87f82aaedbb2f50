"""Alerts on burn rates: the values that docs/install.md shows, rendered, and judged by promtool."""

import shutil
from pathlib import Path

import pytest
import yaml

from e2e.chart.dashboards.on_call import OF_OBJECTIVES
from e2e.chart.helm import CHART, MINIMAL, OLDEST, ROOT, helm, program
from e2e.cluster import parts
from e2e.cluster.command import run
from e2e.cluster.trouble import ClusterTrouble
from tests.unit.chart.test_alerts import promtool
from tests.unit.docs.pages import snippets

TESTS = Path(__file__).parent / "objectives_test.yaml"
PAGE = "docs/install.md"


def values() -> dict:
    """As the page says them."""
    (found,) = (yaml.safe_load(s.text) for s in snippets(PAGE) if "objectives:" in s.text)
    return found


def rules(folder: Path, said: dict) -> list[dict]:
    """Of the group that objectives make."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(said))
    words = ["template", "causal-rollouts", CHART, "--kube-version", OLDEST, "--set", MINIMAL[0], "-f", file]
    made = yaml.safe_load(helm(*words, "--show-only", "templates/prometheusrule.yaml"))
    (group,) = (g for g in made["spec"]["groups"] if g["name"] == "causal-rollouts-objectives")
    (folder / "objectives.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    return group["rules"]


def test_a_burn_is_told_by_its_cause_and_a_slow_or_small_one_is_not(tmp_path):
    made = rules(tmp_path, values())
    assert {rule["alert"]: rule["labels"]["severity"] for rule in made} == OF_OBJECTIVES
    shutil.copy(TESTS, tmp_path / TESTS.name)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / TESTS.name)
    assert "2 rules found" in promtool("check", "rules", tmp_path / "objectives.yaml")


def test_the_test_of_promtool_can_fail(tmp_path):
    """A page that asks for no evidence would fire in place of the ticket."""
    made = rules(tmp_path, values())
    page, ticket = made
    page["expr"] = page["expr"].rpartition("\nand on() ")[0]
    (tmp_path / "objectives.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "g", "rules": [page, ticket]}]})
    )
    shutil.copy(TESTS, tmp_path / TESTS.name)
    with pytest.raises(ClusterTrouble, match="CausalRolloutBurnsBudget"):
        run([program(parts.PROMETHEUS, "promtool"), "test", "rules", tmp_path / TESTS.name])


def test_every_objective_has_its_own_rules_and_a_page_to_read(tmp_path):
    said = values()
    first = said["prometheusRule"]["objectives"][0]
    more = [{**first, "rollout": "basket", "least": 5000}, {**first, "rollout": "till", "least": 0}]
    said["prometheusRule"]["objectives"] += more
    made = rules(tmp_path, said)
    assert [rule["labels"]["rollout"] for rule in made] == ["checkout"] * 2 + ["basket"] * 2 + ["till"] * 2
    assert all(">= 5000" in rule["expr"] for rule in made[2:4])
    assert all(">= 0\n" in rule["expr"] for rule in made[4:]), "nought is a number of requests"
    for rule in made:
        assert (ROOT / rule["annotations"]["runbook_url"]).exists()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"objective": 100}, "objective"), ({"bad": "rate(x[5m])"}, "bad"), ({"goal": 99.9}, "goal")],
)
def test_a_wrong_objective_is_named(tmp_path, wrong, named):
    said = values()
    said["prometheusRule"]["objectives"][0] |= wrong
    with pytest.raises(ClusterTrouble, match=named):
        rules(tmp_path, said)
