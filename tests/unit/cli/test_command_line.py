"""What a shell sees: help at once, codes that mean something, and never a stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from causal_rollouts.cli.cluster import Where, kubeconfig_of
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.main import main
from causal_rollouts.cli.meanings import MEANINGS
from causal_rollouts.model.reasons import Reason
from causal_rollouts.ports import Broken, NotYet, Refused

ROOT = Path(__file__).parents[3]


def shell(*words, code):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
    argv = [sys.executable, "-c", f"import sys; {code}", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment, check=False)


def raising(error):
    def opener(where):
        raise error

    return opener


@pytest.mark.parametrize("words", [["--help"], ["replay", "--help"], ["release", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words):
    code = (
        "from causal_rollouts.cli.main import main; code = main(sys.argv[1:]); "
        "heavy = {'numpy', 'scipy', 'pydantic', 'kubernetes', 'aiohttp', 'kopf', 'yaml'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    found = shell(*words, code=code)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout


def test_the_module_runs_as_a_program():
    argv = [sys.executable, "-m", "causal_rollouts.cli.main", "--version"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
    found = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert found.returncode == 0
    assert found.stdout.startswith("causal-rollouts ")


@pytest.mark.parametrize(
    "words",
    [["bogus"], ["status"], ["status", "x", "--timeout", "soon"], ["replay", ".", "--until", "noon"], []],
)
def test_a_question_that_makes_no_sense_is_code_2(capsys, words):
    assert main(words) == Exit.USAGE
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Broken("the API server does not answer"), Exit.UNAVAILABLE, "does not answer"),
        (Refused('user "ann" cannot patch'), Exit.FAILED, "refused"),
        (NotYet("conflict"), Exit.FAILED, "run it again"),
        (Stopped("no such thing", Exit.USAGE), Exit.USAGE, "no such thing"),
        (RuntimeError("two\nlines"), Exit.UNEXPECTED, "RuntimeError: two lines"),
        (KeyError("spec"), Exit.UNEXPECTED, "KeyError"),
    ],
)
def test_every_failure_is_one_line_and_a_code(capsys, error, code, says):
    assert main(["list"], raising(error)) == code
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_debug_shows_where_it_came_from(capsys):
    assert main(["list", "--debug"], raising(RuntimeError("boom"))) == Exit.UNEXPECTED
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_quiet(capsys):
    assert main(["list"], raising(KeyboardInterrupt())) == Exit.INTERRUPTED
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_seen_enough_is_no_error():
    code = (
        "import types; from causal_rollouts.cli import main as m\n"
        "async def run(asked, reach):\n    [print('x' * 1000) for _ in range(1000)]; return 0\n"
        "sys.modules['causal_rollouts.cli.listing'] = types.SimpleNamespace(run=run)\n"
        "sys.exit(m.main(['list']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
    argv = [sys.executable, "-c", f"import sys\n{code}"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 0


def test_a_kubeconfig_that_is_not_there_is_named(capsys):
    assert main(["list", "--kubeconfig", "/nowhere/config"]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "/nowhere/config: no such file" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["", "a: [", "just words", "apiVersion: v1\nkind: Config\n", "contexts: 5\n"]
)
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path, capsys, text):
    path = tmp_path / "config"
    path.write_text(text)
    assert main(["list", "--kubeconfig", str(path)]) == Exit.USAGE
    err = capsys.readouterr().err
    assert f"kubeconfig {path}: cannot be used" in err
    assert err.count("\n") == 1


NOBODY_LISTENS = """apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
contexts:
- {name: one, context: {cluster: c, user: u, namespace: shop}}
- {name: two, context: {cluster: c, user: u, namespace: bazaar}}
users: [{name: u, user: {}}]
"""


@pytest.mark.parametrize(
    ("words", "namespace"),
    [([], "shop"), (["--context", "two"], "bazaar"), (["-n", "market", "--context", "two"], "market")],
)
def test_a_server_that_is_not_there_is_code_69(tmp_path, capsys, words, namespace):
    path = tmp_path / "config"
    path.write_text(NOBODY_LISTENS)
    assert main(["list", "--kubeconfig", str(path), *words]) == Exit.UNAVAILABLE
    err = capsys.readouterr().err
    assert "does not answer" in err
    assert f"namespaces/{namespace}/" in err
    assert "Traceback" not in err


def test_a_context_that_is_not_there_is_named(tmp_path, capsys):
    path = tmp_path / "config"
    path.write_text(NOBODY_LISTENS)
    assert main(["list", "--kubeconfig", str(path), "--context", "three"]) == Exit.USAGE
    assert "three" in capsys.readouterr().err


def test_the_kubeconfig_of_the_command_wins(tmp_path, monkeypatch):
    said, other = tmp_path / "said", tmp_path / "other"
    said.touch()
    other.touch()
    monkeypatch.setenv("KUBECONFIG", str(other))
    assert kubeconfig_of(Where()) == other
    assert kubeconfig_of(Where(kubeconfig=str(said))) == said


def test_every_reason_has_a_meaning():
    assert set(MEANINGS) == set(Reason)
    assert all(meaning.what for meaning in MEANINGS.values())
