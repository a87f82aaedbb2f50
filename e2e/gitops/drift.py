"""`python -m e2e.gitops.drift flux argo`: who writes what while a harmless release moves weights for long.

Prints a line for each release and one for its app at rest afterwards; docs/measurements.md has them.
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
from e2e.operator_host import process

NAMESPACE = "shop"
"""The one in which the manifests of docs/gitops.md are."""
EXCEPTIONS = ("ignore", "ignoreDifferences")
"""Fields by which Flux and Argo CD leave weights alone."""
WEIGHTS = (2, 5, 10, 15, 20, 25, 30, 40)
SPARE = 1200.0
"""Seconds for all that comes before the release and after it."""


def main(words: list[str]) -> int:
    wanted = _parser().parse_args(words)
    seconds = 60 * wanted.minutes
    try:
        with ground(NAMESPACE, process) as made, ExitStack() as stack:
            shops = [
                stack.enter_context(
                    standing(
                        made,
                        tool,
                        f"by-{tool}",
                        NAMESPACE,
                        {"stages": stages(seconds)},
                        seconds + wanted.rest + SPARE,
                        wanted.without,
                    )
                )
                for tool in wanted.tools
            ]
            with ThreadPoolExecutor(len(shops)) as pool:
                told = [pool.submit(_tell, shop, seconds, wanted.rest) for shop in shops]
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


def _tell(shop: GitShop, seconds: float, rest: float) -> None:
    with watched(shop) as release:
        shop.request("v2")
        name, until = shop.look.wait_release(seconds=60), time.monotonic() + seconds
        while time.monotonic() < until and not shop.look.release().get("final"):
            time.sleep(1)
    state = shop.look.state()
    print(release.line(f"{name} ({state.get('outcome') or state.get('phase')})"), flush=True)
    if not shop.look.release().get("final"):
        shop.look.ask("abort")
        shop.look.wait_end(seconds=120)
        shop.revert()
    with watched(shop) as resting:
        time.sleep(rest)
    print(resting.line(f"{shop.name} at rest"), flush=True)
    say(f"{shop.name} from push to applied: {', '.join(f'{took:.1f} s' for took in shop.synced)}")
    if not shop.without:
        shop.differences()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m e2e.gitops.drift", description=__doc__)
    parser.add_argument("tools", nargs="+", choices=sorted(TOOLS), help="each with an app of its own")
    parser.add_argument("--minutes", type=float, default=20, help="of the release (default 20)")
    parser.add_argument("--rest", type=float, default=60, help="seconds at rest after it (default 60)")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=EXCEPTIONS,
        help="leave this field out of what docs/gitops.md says for the tool",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
