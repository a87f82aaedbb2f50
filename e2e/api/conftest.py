"""CRDs, roles and admission policies on the cluster, and a namespace for one test; no operator, no load."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster import access
from e2e.cluster.kubectl import kubectl
from e2e.cluster.state import Cluster
from e2e.operator_host import install


@pytest.fixture(autouse=True)
def clean() -> None:
    """In place of the scenarios' own: nothing runs here that would have to be calmed."""


@pytest.fixture(scope="session")
def installed(cluster: Cluster) -> Cluster:
    """The cluster with config/ and crds/ applied, as its admin sees it."""
    install(cluster)
    return cluster


@pytest.fixture
def namespace(installed: Cluster) -> Iterator[str]:
    """For one test alone."""
    yield from _namespace(installed)


@pytest.fixture(scope="session")
def shared(installed: Cluster) -> Iterator[str]:
    """For tests that only try and leave nothing behind."""
    yield from _namespace(installed)


def _namespace(cluster: Cluster) -> Iterator[str]:
    name = f"api-{uuid.uuid4().hex[:8]}"
    kubectl(cluster, "create", "namespace", name)
    yield name
    kubectl(cluster, "delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def operator_account(installed: Cluster) -> Cluster:
    """The cluster as the operator's ServiceAccount sees it."""
    return replace(installed, kubeconfig=access.operator_kubeconfig(installed))


@pytest.fixture
def editor(installed: Cluster, namespace: str) -> Cluster:
    """The cluster as a developer with the role `edit` in the namespace sees it."""
    return _with_role(installed, namespace, "dev", access.user_kubeconfig(installed, "dev"), "--user=dev")


@pytest.fixture
def git(installed: Cluster, namespace: str) -> Cluster:
    """The cluster as a GitOps controller sees it: a ServiceAccount that may do everything everywhere."""
    kubeconfig = access.operator_kubeconfig(installed, namespace, "git")
    subject = f"--serviceaccount={namespace}:git"
    return _with_role(installed, namespace, "git", kubeconfig, subject, role="cluster-admin")


def _with_role(
    cluster: Cluster, namespace: str, name: str, kubeconfig: Path, subject: str, role: str = "edit"
) -> Cluster:
    kubectl(cluster, "-n", namespace, "create", "rolebinding", name, f"--clusterrole={role}", subject)
    return replace(cluster, kubeconfig=kubeconfig)
