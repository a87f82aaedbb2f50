"""A server for all tests of the chart, in place of the scenarios' ground; no cluster has to be up."""

from collections.abc import Iterator

import pytest

from e2e.chart.server import api_server
from e2e.cluster.state import Cluster


@pytest.fixture(autouse=True)
def clean() -> None:
    """In place of the scenarios' own: nothing runs here that would have to be calmed."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with api_server(tmp_path_factory.mktemp("server")) as found:
        yield found
