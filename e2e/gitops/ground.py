"""An app under load in the hands of a tool, with a served repository."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from e2e.cluster.kubectl import Manifest
from e2e.cluster.state import Cluster
from e2e.demo.manifests import RouteForm
from e2e.demo.traffic import Load
from e2e.gitops import argo, flux
from e2e.gitops.git_server import serving
from e2e.gitops.repository import Repository
from e2e.gitops.shop import GitShop
from e2e.gitops.tool import Tool
from e2e.ground import Ground, Operator
from e2e.shop import Shop

RATE = 120.0
TOOLS: dict[str, Callable[[Cluster], AbstractContextManager[Tool]]] = {
    "flux": flux.running,
    "argo": argo.running,
}


@contextmanager
def standing(
    made: Ground[Operator],
    tool: str,
    name: str,
    namespace: str,
    spec: Manifest,
    longest: float,
    without: Sequence[str] = (),
) -> Iterator[GitShop]:
    """v1 of the app `name`, applied by the tool from a commit. spec: of its rollout, beyond the page's.

    without: fields of the page's settings for the tool that are left out.
    """
    look = Shop(made.cluster, made.app(name, namespace, replicas=8), RouteForm.WEIGHTS)
    with (
        TOOLS[tool](made.cluster) as works,
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as url,
        Load(made.binaries.load, made.cluster.gateway_url, look.app.host, RATE, longest),
        GitShop(look, works, Repository.create(Path(folder), name), spec, without).followed(url) as shop,
    ):
        yield shop
