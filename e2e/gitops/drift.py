"""`python -m e2e.gitops.drift flux argo --minutes 20`: who writes what while harmless releases move weights.

Prints a line of docs/measurements.md for the release, and one for a minute at rest after it.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

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
    parser.add_argument("tools", nargs="+", choices=sorted(TOOLS), help="each with an app of its own")
    parser.add_argument("--minutes", type=float, default=20, help="of the release (default 20)")
    parser.add_argument("--rest", type=float, default=30, help="seconds at rest after it (default 30)")
    wanted = parser.parse_args(words)
    longest = 60 * wanted.minutes + wanted.rest + 900
    spec = {"stages": stages(60 * wanted.minutes)}
    try:
        with ground(NAMESPACE) as made, ExitStack() as stack:
            shops = [
                stack.enter_context(standing(made, tool, f"by-{tool}", NAMESPACE, spec, longest))
                for tool in wanted.tools
            ]
            with ThreadPoolExecutor(len(shops)) as pool:
                told = [pool.submit(_tell, shop, wanted) for shop in shops]
                for one in told:
                    one.result()
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
    print(release.line(f"{name} ({state.get('outcome') or state.get('phase')})"), flush=True)
    if not shop.look.release().get("final"):
        shop.look.ask("abort")
        shop.look.wait_end(seconds=120)
        shop.revert()
    with watched(shop) as rest:
        time.sleep(wanted.rest)
    shop.differences()
    print(rest.line(f"{shop.name} at rest"), flush=True)
    say(f"{shop.name} from push to applied: {', '.join(f'{seconds:.1f} s' for seconds in shop.synced)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
