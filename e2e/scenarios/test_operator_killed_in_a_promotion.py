"""SIGKILL while the Deployment rolls: the next copy finishes the promotion."""

import pytest

from e2e.harmless import accepted
from e2e.operator_host import OperatorProcess
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(92)]


def test_a_promotion_survives_a_killed_operator(checkout: Shop, operator: OperatorProcess) -> None:
    running = set(checkout.versions())
    wanted = "v2" if running != {"v2"} else "v6"
    accepted(checkout, wanted)
    checkout.wait_phase("Promoting", seconds=10)
    operator.kill()
    before = len(checkout.records())
    operator.start()
    assert checkout.wait_end(seconds=180) == "Promoted"
    assert set(checkout.versions()) == {wanted}
    assert len(checkout.records()) == before
    assert checkout.home()
