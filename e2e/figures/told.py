"""Releases run one after another, each with what a page on it would want to know."""

from collections.abc import Iterator
from dataclasses import dataclass

from e2e.demo.traffic import Load
from e2e.figures.watch import Share, first_answer, home_again, shares, watching
from e2e.shop import Shop

LONGEST = 1500.0


@dataclass(frozen=True, slots=True)
class Told:
    """One release. reached: seconds from git's apply to the first answer; harmed: from there to home."""

    version: str
    outcome: str
    because: str
    reached: float | None
    harmed: float | None
    lasted: float
    shares: tuple[Share, ...]
    unanswered: int

    def line(self) -> str:
        """One row of the table."""
        cells = (
            self.version,
            self.outcome,
            _seconds(self.reached),
            _seconds(self.harmed),
            f"{self.lasted:.0f} s",
            str(self.unanswered),
            self.because,
        )
        return f"| {' | '.join(cells)} |"


HEAD = """\
| version | outcome | apply to first canary answer | that to weights home | whole | unanswered | because |
|---|---|---|---|---|---|---|"""


def run(shop: Shop, load: Load, version: str) -> Told:
    """Ask for a version as Git would and watch it end. A failed one stays asked for until the next."""
    before = len(shop.records())
    earlier = load.stats()
    with watching(shop, load) as seen:
        asked = shop.request_anew(version)
        shop.wait_release(after=before)
        outcome = shop.wait_end(LONGEST)
    reached, home = first_answer(seen, "canary"), home_again(seen)
    last = [d["decision"] for d in shop.decisions() if d["decision"]["act"] in {"Revert", "Promote"}]
    return Told(
        version,
        outcome,
        last[-1]["because"] if last else "",
        reached and reached - asked,
        reached and home - reached,
        home - asked,
        tuple(shares(seen)),
        load.stats().since(earlier).failures,
    )


def a_a(shop: Shop, load: Load, releases: int) -> Iterator[Told]:
    """Releases that change nothing, one on the other: what is reverted here is a false alarm."""
    for number in range(releases):
        yield run(shop, load, ("v2", "v6")[number % 2])


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
