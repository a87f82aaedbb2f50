"""What docs/gitops.md says of health, on a status of each phase: schema, kstatus, Argo CD's test file.

Its Lua is run by the real Argo CD in e2e/scenarios/test_gitops_argo.py, its expressions by the real Flux.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from causal_rollouts.api.status import StatusView, render
from causal_rollouts.model.reasons import Outcome, Phase
from e2e.api.manifests import ROOT
from tests.unit.api.test_manifests import complaints

FOLDER = ROOT / "e2e" / "gitops" / "health"
TESTS = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]
CASES = {
    Path(test["inputPath"]).stem: (
        yaml.safe_load((FOLDER / test["inputPath"]).read_text()),
        test["healthStatus"]["status"],
    )
    for test in TESTS
}
KSTATUS = {
    "Healthy": {"Current"},
    "Progressing": {"InProgress"},
    # kstatus has no word for a pause: a release that is held still runs, and a wish that is put off does not.
    "Suspended": {"InProgress", "Current"},
    "Degraded": {"Failed"},
}


def kstatus(obj: dict[str, Any]) -> str:
    """The rules of sigs.k8s.io/cli-utils for kinds that it does not know."""
    status = obj.get("status", {})
    holds = {c["type"]: c["status"] for c in status.get("conditions", [])}
    if status.get("observedGeneration", obj["metadata"]["generation"]) != obj["metadata"]["generation"]:
        return "InProgress"
    if holds.get("Reconciling") == "True":
        return "InProgress"
    if holds.get("Stalled") == "True":
        return "Failed"
    return "Current" if holds.get("Ready", "True") == "True" else "InProgress"


@pytest.mark.parametrize("name", CASES)
def test_a_status_is_one_that_the_operator_writes(name: str):
    obj, _ = CASES[name]
    assert complaints(obj) == []
    if "status" not in obj:
        return
    status = obj["status"]
    said = {c["type"]: c for c in status["conditions"]}
    supported = said.get("Supported")
    view = StatusView(
        phase=status["phase"],
        reason=said["Ready"]["reason"],
        message=said["Ready"]["message"],
        running="Reconciling" in said,
        failed="Stalled" in said,
        release=status.get("release", ""),
        step=status.get("step", ""),
        weight=status.get("weight", ""),
        record=status.get("record", {}).get("name", ""),
        seq=status.get("record", {}).get("seq", 0),
        outcome=status.get("outcome", ""),
        queued="Queued" in said,
        supported=supported and (supported["status"] == "True", supported["reason"], supported["message"]),
    )
    assert render(status, status["observedGeneration"], 0.0, view) == status


@pytest.mark.parametrize("name", [name for name in CASES if name != "new"])
def test_kstatus_says_what_argo_cd_says(name: str):
    obj, argo = CASES[name]
    assert kstatus(obj) in KSTATUS[argo]


def test_a_pause_is_in_progress_for_kstatus_and_a_suspended_rollout_is_not():
    assert kstatus(CASES["paused"][0]) == "InProgress"
    assert kstatus(CASES["suspended"][0]) == "Current"


def test_every_phase_of_a_release_has_its_case():
    phases = {obj["status"]["phase"] for obj, _ in CASES.values() if "status" in obj}
    assert {str(phase) for phase in Phase} - phases == {"Done"}
    assert {str(Outcome.REVERTED), str(Outcome.ABORTED), str(Outcome.BLOCKED)} <= phases


def test_every_file_is_in_the_test_file():
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("testdata/*.yaml")}
    assert files == {test["inputPath"] for test in TESTS}
