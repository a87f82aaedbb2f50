"""A cluster in this process at chosen moments of a release, and the command line run against it.

One world is played through once; each test works on a copy of what the API
server held at its moment, with controllers and gateway alive and the operator gone.
"""

import asyncio
import copy
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from causal_rollouts.adapters.kube import DEPLOYMENT, HTTP_ROUTE, RECORD, REPLICA_SET, ROLLOUT, SERVICE
from causal_rollouts.analysis.simulation.climate import Climate
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.main import main
from e2e.embedded import shop
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.controllers import Controllers
from e2e.embedded.world import EmbeddedWorld

NAME = "checkout"
USER = "ann"
POLICY = {
    "metadata": {"name": "quick"},
    "spec": {
        "defaults": {
            "history": "10m",
            "bake": "20s",
            "stages": [
                {"weight": 10, "minDuration": "30s", "maxDuration": "15m"},
                {"weight": 30, "minDuration": "30s", "maxDuration": "15m"},
            ],
        }
    },
}
ROLLOUT_OBJECT = {
    "metadata": {"name": NAME, "namespace": shop.NAMESPACE},
    "spec": {
        "targetRef": {"name": NAME},
        "policyRef": {"name": "quick"},
        "traffic": {"service": NAME, "httpRoutes": [{"name": NAME}]},
    },
}


@dataclass
class Printed:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Town:
    """api: as it stood at a moment. operator: called with each second that a command waits."""

    api: ApiServer
    namespace: str = shop.NAMESPACE
    user: str = USER
    gateway: bool = True
    operator: object = None
    slept: float = 0.0
    seen: list = field(default_factory=list)

    def __post_init__(self):
        self.controllers = Controllers(self.api, gateway=self.gateway)

    def now(self):
        return self.api.time

    async def sleep(self, seconds):
        self.slept += seconds
        for _ in range(max(1, round(seconds))):
            self.pass_time(1)
            if self.operator:
                self.operator(self)

    def pass_time(self, seconds):
        self.controllers.step(self.api.time + seconds)

    def run(self, capsys, *words):
        capsys.readouterr()
        before = len(self.api.writes)
        code = main([str(word) for word in words], self.opener)
        self.seen = self.api.writes[before:]
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Printed(code, out, err)

    @asynccontextmanager
    async def opener(self, where):
        yield Cluster(Person(self.api.client(self.user, "causal-rollouts"), self.user), self.namespace, self)

    def rollout(self):
        return self.api.find(ROLLOUT, self.namespace, NAME)

    def target(self):
        return self.api.find(DEPLOYMENT, self.namespace, NAME)

    def record(self):
        found = self.api.stored(RECORD, self.namespace)
        return max(found, key=lambda r: int(r["metadata"]["name"].rpartition("-")[2]))

    def backends(self):
        route = self.api.find(HTTP_ROUTE, self.namespace, NAME)
        return {b["name"]: b.get("weight", 1) for b in route["spec"]["rules"][0]["backendRefs"]}

    def slots(self):
        sets = self.api.stored(REPLICA_SET, self.namespace)
        return [r["metadata"]["name"] for r in sets if "causalrollouts.dev/slot" in r["metadata"]["labels"]]

    def services(self):
        return [s["metadata"]["name"] for s in self.api.stored(SERVICE, self.namespace)]

    def change(self, kind, name, edit, user="git"):
        """Edit an object in place, as somebody with kubectl."""
        old = self.api.find(kind, self.namespace, name)
        new = copy.deepcopy(old)
        edit(new)
        self.api.change(kind, old, new, user, manager=user)

    def change_record(self, edit):
        """Edit the release of the newest record in place, as the operator would write it."""
        old = self.record()
        new = copy.deepcopy(old)
        edit(new["status"]["release"])
        self.api.change(RECORD, old, new, status=True)

    def annotations(self):
        return self.rollout()["metadata"].get("annotations", {})


class Person:
    """The API as a person sees it: like any user, and told who they are."""

    def __init__(self, client, user):
        self._client, self._user = client, user

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def create(self, kind, namespace, obj):
        if kind.kind == "SelfSubjectReview":
            return {"status": {"userInfo": {"username": self._user}}}
        return await self._client.create(kind, namespace, obj)


@dataclass
class Moments:
    """Copies of the API server, by moment."""

    kept: dict[str, ApiServer] = field(default_factory=dict)

    def keep(self, moment, world):
        self.kept[moment] = copy.deepcopy(world.api)

    def town(self, moment, **more):
        return Town(copy.deepcopy(self.kept[moment]), **more)


def play():
    """A release that a person aborts, then one that a person promotes."""
    moments = Moments()
    world = EmbeddedWorld(Climate(), {}, name=NAME, replicas=6)
    world.apply(POLICY, ROLLOUT_OBJECT)
    world.run(450)
    moments.keep("at rest", world)
    world.request("v3")
    moments.keep("requested", world)
    _until(world, lambda: world.release().get("phase") == "Observing")
    moments.keep("observing", world)
    world.annotate("abort", "bob:checkout-1")
    _until(world, lambda: bool(world.release().get("outcome")))
    moments.keep("reverting", world)
    _until(world, lambda: world.newest()["status"]["final"])
    world.run(3)
    moments.keep("aborted", world)
    world.request("v1")
    world.run(5)
    world.request("v2")
    _until(world, lambda: world.release().get("phase") == "Observing")
    world.annotate("promote", "bob:checkout-2")
    _until(world, lambda: len(world.versions()) == 2)
    moments.keep("promoting", world)
    _until(world, lambda: world.release().get("phase") == "Baking")
    moments.keep("baking", world)
    _until(world, lambda: world.newest()["status"]["final"])
    world.run(3)
    moments.keep("promoted", world)
    return moments


def _until(world, there, seconds=400):
    if not world.run(seconds, there):
        raise AssertionError(f"the story came to no end: {world.release()}, {world.errors}")


def run(coroutine):
    return asyncio.run(coroutine)
