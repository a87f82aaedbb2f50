"""docs/runbooks, typed: every command of every page, at a release of an operator that the chart installed.

Beside the chart, because the pages ask the operator's own Deployment, which the scenarios do not have.
"""

from collections.abc import Iterator

import pytest

from e2e.chart.gated import gated
from e2e.chart.helm import RELEASE, ROOT
from e2e.chart.operator_pod import OperatorPod
from e2e.chart.shell import Shell
from e2e.cluster.progress import wait_for
from e2e.shop import Shop
from tests.unit.docs.pages import snippets, spans

pytestmark = pytest.mark.cluster

NAMESPACE, NAME = "runbooks", "checkout"
PAGES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs/runbooks").glob("*.md"))

RESUME, ABORT, RETRY, RELEASED = (
    f"causal-rollouts {verb} NAME -n NAMESPACE" for verb in ("resume", "abort", "retry", "release")
)
STOP = f"kubectl -n {RELEASE} scale deployment/{RELEASE} --replicas=0"
WITHOUT_A_RESTART = "--previous"
"""There is such a log only after the operator was restarted, as it is when that page is read."""


@pytest.fixture(scope="module")
def standing() -> Iterator[tuple[Shop, OperatorPod]]:
    with gated(NAME, NAMESPACE) as (shop, _, operator):
        yield shop, operator


@pytest.fixture
def shop(standing: tuple[Shop, OperatorPod]) -> Shop:
    return standing[0]


@pytest.fixture(scope="module")
def shell(standing: tuple[Shop, OperatorPod], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shop, _ = standing
    exported = {
        **shop.cluster.environment(),
        "PATH": f"{shop.cluster.kubectl.parent}:{ROOT / '.venv/bin'}:/usr/bin:/bin",
    }
    return Shell(tmp_path_factory.mktemp("terminal"), exported)


def typed(shell: Shell, command: str) -> int:
    return shell.type(command.replace("NAMESPACE", NAMESPACE).replace("NAME", NAME))


def looks() -> list[str]:
    """Every line of the pages' blocks of commands, once."""
    lines = [line for page in PAGES for found in snippets(page) for line in found.text.splitlines()]
    return list(dict.fromkeys(line for line in lines if WITHOUT_A_RESTART not in line))


def remedies() -> set[str]:
    """Every command that a sentence of the pages quotes."""
    return {
        span for page in PAGES for span in spans(page) if span.startswith(("causal-rollouts ", "kubectl "))
    }


def test_every_look_is_answered_while_a_release_is_paused(shop: Shop, shell: Shell) -> None:
    shop.request("v2")
    shop.wait_release()
    shop.wait_phase("Observing", seconds=420, stage=0)
    shop.ask("pause")
    shop.wait_phase("Paused", seconds=30)
    assert len(looks()) > len(PAGES)
    assert [line for line in looks() if typed(shell, line)] == []


def test_every_remedy_does_what_its_page_says(standing: tuple[Shop, OperatorPod], shell: Shell) -> None:
    shop, operator = standing
    assert remedies() == {RESUME, ABORT, RETRY, RELEASED, STOP}
    assert typed(shell, RESUME) == 0
    shop.wait_phase("Observing", seconds=60, stage=0)
    assert typed(shell, ABORT) == 0
    assert shop.wait_end(seconds=120) == "Aborted"

    assert typed(shell, RETRY) == 0
    shop.wait_release(after=1)
    shop.wait_phase("Observing", seconds=420, stage=0)
    assert shop.weights().canary > 0
    assert typed(shell, STOP) == 0
    wait_for("the operator to be gone", lambda: not operator.pods(), 60)
    # On a terminal it asks first.
    assert typed(shell, f"{RELEASED} --yes") == 0
    assert shop.home()
