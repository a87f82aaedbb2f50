"""The repository that the tools sync: what is committed is what a client fetches over HTTP."""

import gzip
import http.client
from pathlib import Path

import pytest

from e2e.cluster.command import run
from e2e.gitops.git_server import serving
from e2e.gitops.repository import ENVIRONMENT, Repository

OLD, NEW = [{"kind": "A", "v": 1}], [{"kind": "A", "v": 2}]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path, "shop")


def test_a_revert_is_a_commit_that_goes_back(repository: Repository):
    first = repository.commit({"apps/a.yaml": OLD}, "one")
    second = repository.commit({"apps/a.yaml": NEW}, "two")
    third = repository.revert()
    assert len({first, second, third}) == 3
    assert repository.read("apps/a.yaml") == OLD
    assert repository.head() == third


def test_a_client_fetches_what_was_pushed(repository: Repository, tmp_path: Path):
    head = repository.commit({"apps/a.yaml": OLD}, "one")
    with serving(tmp_path) as url:
        run(["git", "clone", "-q", f"{url}/shop.git", tmp_path / "copy"], env=ENVIRONMENT)
    told = run(["git", "rev-parse", "HEAD"], cwd=tmp_path / "copy", env=ENVIRONMENT)
    assert told.strip() == head


def test_a_request_in_chunks_is_understood(repository: Repository, tmp_path: Path):
    """As Go's client sends one whose length it does not know."""
    repository.commit({"apps/a.yaml": OLD}, "one")
    asked = b"0014command=ls-refs\n00010009peel\n0000"
    with serving(tmp_path) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        headers = {
            "Content-Type": "application/x-git-upload-pack-request",
            "Git-Protocol": "version=2",
            "Content-Encoding": "gzip",
        }
        squeezed = gzip.compress(asked)
        pieces = [squeezed[:9], squeezed[9:]]
        connection.request("POST", "/shop.git/git-upload-pack", iter(pieces), headers, encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 200
        assert b"refs/heads/main" in answer.read()
        connection.close()


def test_what_is_served_cannot_be_pushed_to(repository: Repository, tmp_path: Path):
    repository.commit({"apps/a.yaml": OLD}, "one")
    with serving(tmp_path) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        connection.request("GET", "/shop.git/info/refs?service=git-receive-pack")
        assert connection.getresponse().status == 403
        connection.close()
