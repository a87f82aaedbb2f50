"""`python -m e2e.gitops.drift flux --minutes 20`: who writes what while a harmless release moves the weights.

Prints a line of docs/measurements.md for the release, and one for a minute at rest after it.
"""

import argparse
import sys
import time

from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble
from e2e.gitops.ground import TOOLS, standing
from e2e.gitops.shop import GitShop
from e2e.gitops.written import watched
from e2e.ground import ground

NAMESPACE = "shop"
WEIGHTS = (2, 5, 10, 15, 20, 25, 30, 40)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.gitops.drift", description=__doc__)
    parser.add_argument("tool", choices=sorted(TOOLS))
    parser.add_argument("--minutes", type=float, default=20, help="of the release (default 20)")
    parser.add_argument("--rest", type=float, default=60, help="seconds at rest after it (default 60)")
    wanted = parser.parse_args(words)
    longest = 60 * wanted.minutes + wanted.rest + 900
    spec = {"stages": stages(60 * wanted.minutes)}
    try:
        with (
            ground(NAMESPACE) as made,
            standing(made, wanted.tool, "checkout", NAMESPACE, spec, longest) as shop,
        ):
            _tell(shop, wanted)
    except ClusterTrouble as trouble:
        print(f"e2e.gitops.drift: {trouble}", file=sys.stderr)
        return trouble.status
    return 0


def stages(seconds: float) -> list[dict[str, object]]:
    """A ladder whose least times fill so many seconds."""
    each = f"{max(1, round(seconds / len(WEIGHTS)))}s"
    return [{"weight": weight, "minDuration": each, "maxDuration": "1h"} for weight in WEIGHTS]


def _tell(shop: GitShop, wanted: argparse.Namespace) -> None:
    until = time.monotonic() + 60 * wanted.minutes
    with watched(shop) as release:
        shop.request("v2")
        name = shop.look.wait_release(seconds=60)
        while time.monotonic() < until and not shop.look.release().get("final"):
            time.sleep(1)
    state = shop.look.state()
    print(release.line(f"{wanted.tool}, {name} ({state.get('outcome') or state.get('phase')})"), flush=True)
    if not shop.look.release().get("final"):
        shop.look.ask("abort")
        shop.look.wait_end(seconds=120)
        shop.revert()
    with watched(shop) as rest:
        time.sleep(wanted.rest)
    shop.differences()
    print(rest.line(f"{wanted.tool}, at rest"), flush=True)
    say(f"from push to applied: {', '.join(f'{seconds:.1f} s' for seconds in shop.synced)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
