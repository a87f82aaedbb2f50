"""Workers that nobody sends to: they take jobs from a queue, and an arm does what its pods find time for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from e2e import rollouts
from e2e.demo.queue import Queue
from e2e.demo.world_server import reached_by_pods
from e2e.ground import Ground, Operator
from e2e.pod_shop import PodShop
from e2e.shop import Manifest

SPEC: Manifest = {
    "traffic": {"podShare": {}},
    "metrics": rollouts.metrics("job_duration_seconds", "jobs_total", {"outcome": "failed"}),
}


class WorkerShop(PodShop):
    """A Shop without a route and without a Service: pods take work as soon as they run."""

    def way_in(self) -> list[Manifest]:
        """Nothing: work is fetched."""
        return []


@contextmanager
def opened(
    made: Ground[Operator], name: str, namespace: str, replicas: int, rate: float, longest: float
) -> Iterator[tuple[WorkerShop, Queue]]:
    """The workers, their rollout and a queue that gets `rate` jobs a second; each pod does one at a time."""
    queue = Queue(made.binaries.queue, reached_by_pods(made.cluster), rate, longest)
    environment = {"QUEUE_URL": queue.url_for_pods, "QUEUE_WORKERS": "1"}
    app = replace(made.app(name, namespace, replicas, environment), labelled=False)
    shop = WorkerShop(made.cluster, app, spec=SPEC)
    shop.open()
    # Jobs that came before there are workers would fill it.
    with queue:
        yield shop, queue
    shop.close()
