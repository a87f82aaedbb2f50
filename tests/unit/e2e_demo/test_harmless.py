"""A scenario of a promotion allows a hold, and neither a revert nor one hold after the other."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from e2e import harmless
from e2e.shop import Shop


@dataclass
class Scripted:
    """A shop whose releases go as told: the phase in which each stands once the gate has looked."""

    phases: list[tuple[str, str | None]]
    requests: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def records(self) -> list[str]:
        return self.requests

    def request_anew(self, version: str) -> float:
        self.requests.append(version)
        return float(len(self.requests))

    def wait_release(self, seconds: float, after: int) -> str:
        return self.requests[after]

    def state(self) -> dict[str, Any]:
        phase, outcome = self.phases[len(self.requests) - 1]
        return {"phase": phase, "outcome": outcome}

    def decisions(self) -> list[dict[str, Any]]:
        return [{"decision": {"because": "the placebo fired"}}]

    def ask(self, verb: str) -> None:
        self.asked.append(verb)

    def wait_end(self, seconds: float) -> str:
        return "Aborted"

    def home(self) -> bool:
        return True


def accepted(*phases: tuple[str, str | None]) -> tuple[float, Scripted]:
    shop = Scripted(list(phases))
    return harmless.accepted(cast("Shop", shop), "v6"), shop


def test_the_first_is_taken() -> None:
    asked, shop = accepted(("Promoting", None))
    assert (asked, shop.requests, shop.asked) == (1.0, ["v6"], [])


@pytest.mark.parametrize("held", ["Paused", "Observing"])
def test_a_held_one_is_aborted_and_released_anew(held: str) -> None:
    asked, shop = accepted((held, None), ("Done", "Promoted"))
    assert (asked, shop.requests, shop.asked) == (2.0, ["v6", "v6"], ["abort"])


def test_a_revert_is_never_forgiven() -> None:
    with pytest.raises(AssertionError):
        accepted(("Done", "Reverted"), ("Promoting", None))


def test_not_to_be_promoted_at_all_is_an_error() -> None:
    with pytest.raises(AssertionError, match="3 times in a row"):
        accepted(*[("Paused", None)] * 4)
