"""The alerts as promtool judges them, and what they promise: metrics and runbooks that are there."""

import re
import shutil
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry

from causal_rollouts.cli.main import main
from causal_rollouts.control.queue import KeyedQueue
from causal_rollouts.control.rest import Rest
from causal_rollouts.model.reasons import Outcome, Phase, Reason, Validity, Verdict
from causal_rollouts.runtime.health import Health
from causal_rollouts.runtime.metrics import KINDS, UNEXPECTED, RolloutMetrics
from e2e.chart.dashboards.on_call import OF_OBJECTIVES
from e2e.chart.helm import CHART, ROOT, objects, program
from e2e.cluster import parts
from e2e.cluster.command import run

RULES = CHART / "files" / "alerts.yaml"
TESTS = Path(__file__).parent / "alerts_test.yaml"
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def promtool(*words: object) -> str:
    return run([program(parts.PROMETHEUS, "promtool"), *map(str, words)])


def test_each_alert_fires_for_its_cause_and_for_nothing_else(tmp_path):
    shutil.copy(RULES, tmp_path / "alerts.yaml")
    shutil.copy(TESTS, tmp_path / TESTS.name)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / TESTS.name)
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)


def test_each_alert_is_tried_both_ways():
    tried = yaml.safe_load(TESTS.read_text())["tests"]
    cases = [case for test in tried for case in test["alert_rule_test"]]
    for rule in ALERTS:
        fires = {bool(case.get("exp_alerts")) for case in cases if case["alertname"] == rule["alert"]}
        assert fires == {True, False}, rule["alert"]


def test_each_alert_has_a_severity_and_a_runbook_that_is_there():
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", rule["alert"]).lower()
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{kebab}.md"
        assert (ROOT / rule["annotations"]["runbook_url"]).exists()
    assert len(list((ROOT / "docs" / "runbooks").glob("*.md"))) == len(ALERTS) + len(OF_OBJECTIVES)


def test_a_runbook_names_commands_and_reasons_that_there_are(capsys):
    text = "\n".join(path.read_text() for path in (ROOT / "docs" / "runbooks").glob("*.md"))
    for command in sorted(set(re.findall(r"causal-rollouts ([a-z]+)\s+NAME", text))):
        assert main([command, "--help"]) == 0, command
    kinds = (Reason, Validity, Phase, Outcome, Verdict, (*KINDS.values(), UNEXPECTED, "Ready", "Supported"))
    known = {str(word) for kind in kinds for word in kind}
    assert set(re.findall(r"`([A-Z][A-Za-z]+)`", text)) <= known


async def test_each_alert_asks_for_what_the_operator_serves():
    async def nothing(_: object) -> None:
        return None

    registry = CollectorRegistry()
    Health(KeyedQueue(nothing), registry)
    RolloutMetrics(registry)
    served = {name for family in registry.collect() for name in (family.name, f"{family.name}_total")}
    words = {str(word) for kind in (Phase, Verdict, Outcome, Rest) for word in kind}
    for rule in ALERTS:
        assert set(re.findall(r"causal_rollouts_\w+", rule["expr"])) <= served
        for wanted in re.findall(r'(?:phase|verdict|reason)=~?"([^"]+)"', rule["expr"]):
            assert set(wanted.split("|")) <= words


def test_the_release_carries_them_with_the_runbooks_of_its_owner():
    (rule,) = (
        o
        for o in objects("prometheusRule.enabled=true", "prometheusRule.runbooks=https://wiki/rollouts/")
        if o["kind"] == "PrometheusRule"
    )
    given = [r for group in rule["spec"]["groups"] for r in group["rules"]]
    assert [r["alert"] for r in given] == [r["alert"] for r in ALERTS]
    assert [r["expr"] for r in given] == [r["expr"] for r in ALERTS]
    assert {r["annotations"]["runbook_url"].rpartition("/")[0] for r in given} == {"https://wiki/rollouts"}
