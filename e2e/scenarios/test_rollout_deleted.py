"""The CausalRollout is deleted in a stage: weights come home, arms go, the target stays as it runs."""

import pytest

from e2e import rollouts
from e2e.cluster.kubectl import apply
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(32)]


def test_deleting_the_rollout_brings_weights_home(checkout: Shop) -> None:
    before = len(checkout.records())
    checkout.request_anew("v2")
    checkout.wait_release(after=before)
    checkout.wait_phase("Observing", seconds=420, stage=0)
    with checkout.watching(every=0.5) as seen:
        checkout.close()
    assert checkout.home()
    assert max(s.canary for s in seen) == 100
    assert set(checkout.versions()) == {"v1"}
    assert checkout.release()["release"]["outcome"] == "Deleted"

    checkout.request("v1")
    apply(checkout.cluster, [rollouts.rollout(checkout.app)])
    checkout.back_to("v1")
