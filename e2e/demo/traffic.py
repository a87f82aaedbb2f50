"""Load on the demo service, started and stopped by a scenario, counted by who answered."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from e2e.cluster.places import places
from e2e.cluster.programs import Program, Programs
from e2e.cluster.progress import wait_for
from e2e.cluster.trouble import ClusterTrouble

# Answers under way are waited for by the load itself, ten seconds at most.
ENDS_WITHIN = 12


@dataclass(frozen=True, slots=True)
class Answers:
    """What one arm, version or pod answered, as seen outside the gateway."""

    requests: int = 0
    errors: int = 0
    sum_log_seconds: float = 0.0

    @property
    def mean_log_seconds(self) -> float:
        return self.sum_log_seconds / self.requests if self.requests else 0.0

    def minus(self, earlier: "Answers") -> "Answers":
        return Answers(
            self.requests - earlier.requests,
            self.errors - earlier.errors,
            self.sum_log_seconds - earlier.sum_log_seconds,
        )


@dataclass(frozen=True, slots=True)
class LoadStats:
    """Counts since the start of a load.

    unserved: got no answer at all. dropped: never sent, since they were too late after a stall.
    """

    seconds: float
    requests: int
    dropped: int
    codes: Mapping[str, int]
    unserved: Mapping[str, int]
    versions: Mapping[str, Answers]
    arms: Mapping[str, Answers]
    pods: Mapping[str, Answers]

    @classmethod
    def parse(cls, text: str) -> "LoadStats":
        told = json.loads(text)
        return cls(
            seconds=float(told["seconds"]),
            requests=int(told["requests"]),
            dropped=int(told["dropped"]),
            codes=_counts(told["codes"]),
            unserved=_counts(told["unserved"]),
            versions=_answers(told["versions"]),
            arms=_answers(told["arms"]),
            pods=_answers(told["pods"]),
        )

    @property
    def failures(self) -> int:
        """Requests that no pod answered: what a move of weights must not cause.

        The 500s of the service itself are noise or harm on purpose.
        """
        return self.arms.get("gateway", Answers()).requests + sum(self.unserved.values())

    def share(self, arm: str) -> float:
        """Share of the answered requests that the arm answered."""
        total = sum(answers.requests for answers in self.arms.values())
        return self.arms[arm].requests / total if arm in self.arms else 0.0

    def since(self, earlier: "LoadStats") -> "LoadStats":
        """What came after an earlier look."""
        return LoadStats(
            seconds=self.seconds - earlier.seconds,
            requests=self.requests - earlier.requests,
            dropped=self.dropped - earlier.dropped,
            codes=_less(self.codes, earlier.codes),
            unserved=_less(self.unserved, earlier.unserved),
            versions=fewer(self.versions, earlier.versions),
            arms=fewer(self.arms, earlier.arms),
            pods=fewer(self.pods, earlier.pods),
        )


def _counts(told: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(count) for name, count in told.items()}


def _answers(told: Mapping[str, Any]) -> dict[str, Answers]:
    return {
        name: Answers(int(group["requests"]), int(group["errors"]), float(group["sum_log_seconds"]))
        for name, group in told.items()
    }


def _less(now: Mapping[str, int], then: Mapping[str, int]) -> dict[str, int]:
    return {name: count - then.get(name, 0) for name, count in now.items() if count > then.get(name, 0)}


def fewer(now: Mapping[str, Answers], then: Mapping[str, Answers]) -> dict[str, Answers]:
    left = {name: answers.minus(then.get(name, Answers())) for name, answers in now.items()}
    return {name: answers for name, answers in left.items() if answers.requests}


class Load:
    """An open loop of `rate` requests a second; ends by itself after `seconds`, whatever becomes of us.

    It belongs to the cluster's programs, so that `cluster-down` also ends one whose scenario was killed.
    """

    def __init__(
        self,
        binary: Path,
        url: str,
        host: str,
        rate: float = 150,
        seconds: float = 1800,
        more: Iterable[str] = (),
    ) -> None:
        """url: of the gateway, by address. more: further flags of the program."""
        self._name = f"load-{host}"
        self._programs = Programs(places().run)
        self._progress = places().run / f"{self._name}.json"
        self.argv = (
            str(binary),
            *("-url", url),
            *("-host", host),
            *("-rate", f"{rate:g}"),
            *("-duration", f"{seconds:g}s"),
            *("-progress", str(self._progress)),
            *more,
        )

    def start(self) -> Self:
        """Begin; a load on the same host that an earlier run left behind is replaced."""
        self._programs.stop([self._name], ENDS_WITHIN)
        self._progress.unlink(missing_ok=True)
        self._programs.start(Program(self._name, self.argv))
        wait_for("the first counts of the load", self._progress.exists, 10, alive=self._check)
        return self

    def stats(self) -> LoadStats:
        """Counts so far, at most a second old."""
        return LoadStats.parse(self._progress.read_text())

    def during(self, seconds: float) -> LoadStats:
        """Counts of the next `seconds` alone."""
        before = self.stats()
        time.sleep(seconds)
        self._check()
        return self.stats().since(before)

    def stop(self) -> LoadStats:
        """End it; the counts of its whole life."""
        self._programs.stop([self._name], ENDS_WITHIN)
        return self.stats()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self._programs.stop([self._name], ENDS_WITHIN)

    def _check(self) -> None:
        if not self._programs.running(self._name):
            raise ClusterTrouble(
                f"the load does not run; its last words:\n{self._programs.last_words(self._name)}"
            )
