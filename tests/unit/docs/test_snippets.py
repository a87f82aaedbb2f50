"""What a page tells people to type is parsed by what will read it."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from causal_rollouts.cli.arguments import parse
from e2e.api.manifests import EXAMPLES, ROOT, documents
from tests.unit.api.specs import problems, spec
from tests.unit.api.test_manifests import SCHEMAS, complaints
from tests.unit.docs.pages import NAMES, PART_OF, Snippet, commands, read, snippets, spans

OURS = ("causal-rollouts ", "kubectl causal-rollout ")
MANIFESTS = [
    snippet
    for page in NAMES
    for snippet in snippets(page)
    if snippet.language in {"yaml", "yml"} and not snippet.exempt
]
EXAMPLE_POLICIES = {
    obj["metadata"]["name"]: obj["spec"]
    for path in EXAMPLES
    for obj in documents(path)
    if obj["kind"] == "RolloutPolicy"
}
WRITTEN = ("CausalRollout", "RolloutPolicy")
SPECS = {kind: SCHEMAS[kind]["properties"]["spec"] for kind in WRITTEN}
COMMANDS = [(where, command) for page in NAMES for where, command in commands(page)]
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def objects(snippet: Snippet) -> list[dict[str, Any]]:
    """The objects of a snippet; a part of one is put where its marker says."""
    found = [obj for obj in yaml.safe_load_all(snippet.text) if obj is not None]
    if not (part := PART_OF.match(snippet.before)):
        return [obj for obj in found if isinstance(obj, dict) and obj.get("kind") in SCHEMAS]
    base = spec() if part[1] == "CausalRollout" else {}
    return [{"kind": part[1], "spec": {**base, **obj}} for obj in found]


def policies(page: str) -> dict[str, Any]:
    there = [obj for snippet in snippets(page) if snippet in MANIFESTS for obj in objects(snippet)]
    named = {
        obj["metadata"]["name"]: obj["spec"]
        for obj in there
        if obj["kind"] == "RolloutPolicy" and "metadata" in obj
    }
    return {**EXAMPLE_POLICIES, **named}


@pytest.mark.parametrize("snippet", MANIFESTS, ids=lambda snippet: snippet.where)
def test_a_manifest_fits_its_schema_and_resolves(snippet: Snippet):
    for obj in objects(snippet):
        assert complaints(obj) == [], snippet.where
        name = obj["spec"].get("policyRef", {}).get("name")
        if name is not None:
            assert name in policies(snippet.page), (
                f"{snippet.where}: no policy {name} on this page or in examples/"
            )
            assert problems(obj["spec"], policies(snippet.page)[name]) == [], snippet.where


def test_there_are_manifests_of_ours_to_try():
    assert sum(len(objects(snippet)) for snippet in MANIFESTS) >= 5


def settings() -> list[tuple[str, str, list[str]]]:
    """Sentences quote them, like `mode: Observe`: where, what, and the kinds whose spec has such a field."""
    found = []
    for page in NAMES:
        for span in spans(page):
            field = re.match(r"^(\w+): \S", span)
            kinds = [k for k in WRITTEN if field and field[1] in SPECS[k]["properties"]]
            if kinds:
                found.append((page, span, kinds))
    return found


@pytest.mark.parametrize(("page", "setting", "kinds"), settings())
def test_a_setting_within_a_sentence_is_one(page: str, setting: str, kinds: list[str]):
    said = yaml.safe_load(setting)
    bases = {"CausalRollout": spec(), "RolloutPolicy": {}}
    tries = [complaints({"kind": kind, "spec": {**bases[kind], **said}}) for kind in kinds]
    assert [] in tries, f"{page}: {setting}: {tries}"


def test_there_are_settings_to_try():
    assert len(settings()) > 20


def ours() -> list[tuple[str, str]]:
    return [(where, command) for where, command in COMMANDS if command.startswith(OURS)]


@pytest.mark.parametrize(("where", "command"), ours())
def test_a_command_of_ours_is_understood(where: str, command: str):
    words = shlex.split(re.split(r" [|>&]", command)[0], comments=True)
    words = words[2 if words[0] == "kubectl" else 1 :]
    assert understood(words), f"{where}: {command}"


def understood(words: list[str]) -> bool:
    try:
        parse("causal-rollouts", words)
    except SystemExit as ended:
        return ended.code == 0
    return True


def test_there_are_commands_of_ours_to_try():
    assert len(ours()) > 30


def test_every_make_target_that_a_page_names_exists():
    named = {
        (where, target)
        for where, command in COMMANDS
        for target in re.findall(r"^make ([a-z0-9-]+)", command)
    }
    assert len(named) > 15
    assert {(where, target) for where, target in named if target not in TARGETS} == set()


def test_every_module_and_file_that_a_page_runs_is_there():
    found = 0
    for where, command in COMMANDS:
        for module in re.findall(
            r"^(?:\.venv/bin/)?python3? -m ((?:causal_rollouts|e2e|bench)[\w.]*)", command
        ):
            found += 1
            assert importlib.util.find_spec(module) is not None, f"{where}: {module}"
        for path in re.findall(r"(?:^| )((?:tests|e2e|scripts|examples|crds|config)/[\w./*-]+)", command):
            found += 1
            assert list(ROOT.glob(path.rstrip("/").rstrip("."))), f"{where}: {path}"
    assert found > 10


def test_every_setting_of_the_chart_that_a_page_names_is_a_value():
    values = yaml.safe_load((ROOT / "charts" / "causal-rollouts" / "values.yaml").read_text())
    named = [key for page in NAMES for key in re.findall(r"--set ([\w.]+)=", read(Path(page)))]
    assert len(named) >= 2
    for key in named:
        inner: Any = values
        for part in key.split("."):
            assert part in inner, key
            inner = inner[part]
