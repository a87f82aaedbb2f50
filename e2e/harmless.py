"""A harmless release is never blamed; now and then it is held, and then what a person would do is done here.

The gate promises not to revert such a release, not to promote every one: the lot of three pods against three
may be bad, and a pod that stalls as the first weights arrive is a reason to ask people. Eight pods on five
nodes are too few to tell nodes from pods, and one node here is a tenth faster than the others: of 100 that
were simulated so five to seven were held for longer than `accepted` waits, and on the cluster one of a dozen
was. So a held one is told, aborted and released anew on other pods.
"""

import time

from e2e.cluster.progress import say
from e2e.shop import Shop

TRIES = 3
ACCEPTED = {"Promoting", "Baking", "Finishing", "Done"}


def accepted(shop: Shop, version: str, seconds: float = 420) -> float:
    """Release a version without harm until the gate takes it for good; when that release was asked for.

    seconds: patience with each try, the growing of a past included.
    """
    for _ in range(TRIES):
        before = len(shop.records())
        asked = shop.request_anew(version)
        shop.wait_release(after=before, seconds=60)
        phase = _decided(shop, asked + seconds)
        if phase in ACCEPTED:
            assert shop.state().get("outcome") in {None, "Promoted"}, shop.state().get("why")
            return asked
        told = [d["decision"]["because"] for d in shop.decisions()[-1:]]
        say(f"{version}, which does no harm, is held ({phase}): {told}; it is released once more")
        shop.ask("abort")
        assert shop.wait_end(seconds=120) == "Aborted"
        assert shop.home()
    raise AssertionError(f"{version} does no harm and was held {TRIES} times in a row")


def _decided(shop: Shop, until: float) -> str:
    """Phase of the newest release once it is promoted, ended or waits for people; or when time is up."""
    while True:
        phase = str(shop.state().get("phase"))
        if phase in ACCEPTED | {"Paused"} or time.time() >= until:
            return phase
        time.sleep(1.0)
