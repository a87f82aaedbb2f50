"""The queue that demo workers take their jobs from, started and stopped by a scenario."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from e2e.cluster import loopback
from e2e.cluster.places import places
from e2e.cluster.programs import Program, Programs
from e2e.cluster.progress import wait_for
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo.traffic import Answers, fewer

# Fixed, since it stands in the pod template, and another template is another release.
PORT = 18901
NAME = "queue"
UNLABELLED = "none"
"""The arm that a pod without the label says."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Counts since the start of a queue.

    done: acknowledged, failed ones among them. refused: came to a full queue. redelivered: put back since
    nobody acknowledged them in time. late: acknowledged after that. waiting, under_way: at this moment.
    oldest_seconds: age of the oldest job that is not done. arms, versions: jobs done, failed ones as errors.
    """

    seconds: float
    arrived: int
    refused: int
    handed_out: int
    done: int
    failed: int
    redelivered: int
    late: int
    waiting: int
    under_way: int
    oldest_seconds: float
    arms: Mapping[str, Answers]
    versions: Mapping[str, Answers]

    @classmethod
    def parse(cls, text: str | bytes) -> "QueueStats":
        told = json.loads(text)
        return cls(
            seconds=float(told["seconds"]),
            arrived=int(told["arrived"]),
            refused=int(told["refused"]),
            handed_out=int(told["handed_out"]),
            done=int(told["done"]),
            failed=int(told["failed"]),
            redelivered=int(told["redelivered"]),
            late=int(told["late"]),
            waiting=int(told["waiting"]),
            under_way=int(told["under_way"]),
            oldest_seconds=float(told["oldest_seconds"]),
            arms=_jobs(told["arms"]),
            versions=_jobs(told["versions"]),
        )

    @property
    def lost(self) -> int:
        """Jobs that arrived and are nowhere."""
        return self.arrived - self.done - self.waiting - self.under_way

    def share(self, arm: str) -> float:
        """Share of the jobs done that the arm did."""
        return self.arms[arm].requests / self.done if arm in self.arms else 0.0

    def since(self, earlier: "QueueStats") -> "QueueStats":
        """What came after an earlier look; of what waits and is under way, how much more than then."""
        return QueueStats(
            seconds=self.seconds - earlier.seconds,
            arrived=self.arrived - earlier.arrived,
            refused=self.refused - earlier.refused,
            handed_out=self.handed_out - earlier.handed_out,
            done=self.done - earlier.done,
            failed=self.failed - earlier.failed,
            redelivered=self.redelivered - earlier.redelivered,
            late=self.late - earlier.late,
            waiting=self.waiting - earlier.waiting,
            under_way=self.under_way - earlier.under_way,
            oldest_seconds=self.oldest_seconds,
            arms=fewer(self.arms, earlier.arms),
            versions=fewer(self.versions, earlier.versions),
        )


def _jobs(told: Mapping[str, Any]) -> dict[str, Answers]:
    return {
        "stable" if name == UNLABELLED else name: Answers(int(group["done"]), int(group["failed"]))
        for name, group in told.items()
    }


class Queue:
    """`rate` jobs a second at random times; ends by itself after `seconds`, whatever becomes of us.

    It belongs to the cluster's programs, as a load does.
    """

    def __init__(
        self, binary: Path, pods_address: str, rate: float = 120, seconds: float = 1800, port: int = PORT
    ) -> None:
        """pods_address: an address of this machine that pods reach; see `reached_by_pods`."""
        self._programs = Programs(places().run)
        self._control = f"http://127.0.0.1:{port}"
        self.url_for_pods = f"http://{pods_address}:{port}/"
        self.argv = (
            str(binary),
            *("-control", f"127.0.0.1:{port}"),
            *("-pods", f"{pods_address}:{port}"),
            *("-rate", f"{rate:g}"),
            *("-duration", f"{seconds:g}s"),
        )

    def start(self) -> Self:
        """Begin empty; one that an earlier run left behind is replaced."""
        self._programs.stop([NAME])
        self._programs.start(Program(NAME, self.argv))
        wait_for("the queue to answer", self.stats, 10, alive=lambda: self._programs.check(NAME))
        return self

    def stats(self) -> QueueStats:
        """Counts so far."""
        try:
            told = loopback.read(f"{self._control}/stats")
        except OSError as problem:
            self._programs.check(NAME)
            raise ClusterTrouble(f"the queue does not answer: {problem}") from problem
        return QueueStats.parse(told)

    def stop(self) -> None:
        """End it; what waits is gone."""
        self._programs.stop([NAME])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
