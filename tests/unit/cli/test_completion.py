"""Completion as a shell and as kubectl ask for it."""

import os
import shutil
import subprocess
import sys

import pytest

from causal_rollouts.cli.arguments import parser
from causal_rollouts.cli.candidates import Wanted, candidates
from causal_rollouts.cli.complete import complete
from causal_rollouts.cli.completion import SCRIPTS
from causal_rollouts.cli.main import main
from e2e.api.manifests import ROOT

WHOLE = parser("causal-rollouts")


def asked(*words):
    return candidates(WHOLE, words)


def test_commands_come_with_what_they_do():
    found = asked("")
    assert {"get", "lint", "completion", "second-opinion"} <= set(found.words)
    assert found.words["list"] == "all rollouts of a namespace"
    assert set(asked("re").words) == {"resume", "retry", "release", "report", "record", "replay"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["get", "-o", ""], {"text", "wide", "json", "yaml", "name"}),
        (["get", "-o", "j"], {"json"}),
        (["get", "--output=y"], {"--output=yaml"}),
        (["get", "--output", "=", "y"], {"yaml"}),
        (["get", "--output", "="], {"text", "wide", "json", "yaml", "name"}),
        (["get", "--wa"], {"--watch"}),
        (["get", "-n", "shop", "x", "--wa"], {"--watch"}),
        (["policy", ""], {"diff"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["get", "a", "b"], set()),
        (["nonsense", "--x"], set()),
        (["get", "--bogus=x"], set()),
    ],
)
def test_words_are_those_that_the_parser_takes(words, found):
    assert set(asked(*words).words) == found


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["get", ""], Wanted.ROLLOUTS),
        (["status", "-o", "json", ""], Wanted.ROLLOUTS),
        (["policy", "diff", ""], Wanted.ROLLOUTS),
        (["aa", "--live", ""], Wanted.ROLLOUTS),
        (["adopt", ""], Wanted.NOTHING),
        (["lint", "-f", ""], Wanted.FILES),
        (["replay", ""], Wanted.FILES),
        (["list", "--kubeconfig", ""], Wanted.FILES),
        (["list", "--namespace", ""], Wanted.NOTHING),
        ([""], Wanted.NOTHING),
    ],
)
def test_files_and_rollouts_are_asked_for_where_they_fit(words, wanted):
    assert asked(*words).wanted is wanted


def test_names_are_those_of_the_cluster_and_of_the_namespace_that_was_said(moments, capsys):
    town = moments.town("at rest")
    where = []

    def opener(said):
        where.append(said)
        return town.opener(said)

    assert main(["__complete", "get", "-n", "shop", "--context=c", "che"], opener) == 0
    assert capsys.readouterr().out == "checkout\n:4\n"
    assert (where[0].namespace, where[0].context) == ("shop", "c")
    assert main(["__complete", "get", "x"], opener) == 0
    assert capsys.readouterr().out == ":4\n"


def test_a_cluster_that_is_not_there_is_no_complaint(capsys):
    def opener(where):
        raise RuntimeError("boom")

    assert complete(["get", ""], opener) == 0
    assert capsys.readouterr() == (":4\n", "")
    assert complete([]) == 0
    assert "get\t" in capsys.readouterr().out


@pytest.fixture
def path(tmp_path):
    """A PATH with the program as a shell finds it, and a directory to complete files in."""
    program = tmp_path / "causal-rollouts"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m causal_rollouts.cli.main "$@"\n')
    program.chmod(0o755)
    (tmp_path / "rollout file.yaml").touch()
    found = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": found, "PYTHONPATH": str(ROOT / "operator"), "KUBECONFIG": "/nowhere"}


def shell(name, script, environment, directory):
    argv = [name, "-c", script]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=120, env=environment, cwd=directory, check=False
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("get --wa", ["--watch"]),
        ("exp", ["explain", "export"]),
        ("get -o ''", ["text", "wide", "json", "yaml", "name"]),
        ("get --output = y", ["yaml"]),
        ("lint -f roll", ["rollout file.yaml"]),
        ("get ''", []),
    ],
)
def test_bash_completes(path, tmp_path, words, found):
    script = (
        "source <(causal-rollouts completion bash) || exit 9\n"
        f"COMP_WORDS=(causal-rollouts {words})\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        "_causal_rollouts\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
        "complete -p kubectl-causal_rollout >/dev/null || exit 8\n"
    )
    ran = shell("bash", script, path, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [line for line in ran.stdout.splitlines() if line] == found


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish_completes(path, tmp_path):
    script = 'causal-rollouts completion fish | source; complete -C "causal-rollouts get --wa"'
    assert shell("fish", script, path, tmp_path).stdout.startswith("--watch")


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh_reads_the_script_and_shows_the_words(path, tmp_path):
    script = (
        "compdef() { : }; _describe() { print -l -- ${(P)2} }; _files() { print files }\n"
        "source <(causal-rollouts completion zsh)\n"
        "words=(causal-rollouts exp); CURRENT=2; _causal_rollouts\n"
        "words=(causal-rollouts lint -f ''); CURRENT=4; _causal_rollouts\n"
    )
    ran = shell("zsh", script, path, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("explain:the last decision")
    assert lines[-1] == "files"


def test_a_key_is_answered_without_anything_heavy(path):
    code = (
        "import sys; from causal_rollouts.cli.main import main; main(['__complete', 'get', '--']); "
        "heavy = {'numpy', 'scipy', 'pydantic', 'kubernetes', 'aiohttp', 'kopf', 'yaml'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=path, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_calls_the_hidden_command_for_both_programs(capsys, name):
    assert main(["completion", name]) == 0
    out = capsys.readouterr().out
    assert "__complete" in out
    assert "kubectl-causal_rollout" in out
    assert "\N{REPLACEMENT CHARACTER}" not in out
