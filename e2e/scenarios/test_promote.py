"""v6 is as good as v1: it is promoted on evidence, the arms go, and a converged object is left alone."""

import itertools
import time

import pytest

from e2e.cluster.kubectl import get
from e2e.cluster.progress import say
from e2e.harmless import accepted
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.core, pytest.mark.order(90)]


def test_a_good_release_is_promoted_on_evidence(checkout: Shop) -> None:
    with checkout.watching() as seen:
        asked = accepted(checkout, "v6")
        assert checkout.wait_end(seconds=180) == "Promoted"

    assert set(checkout.versions()) == {"v6"}
    assert len(checkout.versions()) == checkout.app.replicas
    assert checkout.home()
    weights = [s.canary for s in seen if s.time >= asked]
    rises = [b for a, b in itertools.pairwise(weights) if b > a]
    assert rises == [100, 300], f"weights went {weights}"
    acts = [d["decision"]["act"] for d in checkout.decisions()]
    assert acts.count("Advance") == 1
    assert acts.count("Promote") == 1
    say(f"v6: promoted {time.time() - asked:.0f} s after git asked")


def test_a_converged_object_causes_no_write(checkout: Shop) -> None:
    def versions() -> dict[str, str]:
        names = {
            "deployment": checkout.app.name,
            "httproute": checkout.app.name,
            "causalrollout": checkout.app.name,
            "service": checkout.app.name,
        }
        found = {
            kind: get(checkout.cluster, "-n", checkout.app.namespace, kind, name)["metadata"][
                "resourceVersion"
            ]
            for kind, name in names.items()
        }
        records = {r["metadata"]["name"]: r["metadata"]["resourceVersion"] for r in checkout.records()}
        return {**found, **records}

    time.sleep(10)
    at_first = versions()
    time.sleep(65)
    assert versions() == at_first
