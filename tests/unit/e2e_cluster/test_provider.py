"""Which cluster it is to be is decided in one order, and none is a clear answer too."""

from pathlib import Path

import pytest

from e2e.cluster import state
from e2e.cluster.debian import is_debian
from e2e.cluster.provider import Machine, choose
from e2e.cluster.state import Provider
from e2e.cluster.trouble import ClusterTrouble

RICH = Machine(Path("/home/me/.kube/config"), docker_answers=True, is_debian=True, is_root=True)


def test_the_users_own_cluster_comes_first_then_docker_then_this_machine():
    assert choose(RICH) is Provider.EXISTING
    assert choose(Machine(None, True, True, True)) is Provider.KIND
    assert choose(Machine(None, False, True, True)) is Provider.HOST


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (Machine(None, False, True, False), "you are not root"),
        (Machine(None, False, False, True), "this is not Debian"),
    ],
)
def test_no_cluster_possible_ends_with_3_and_says_what_is_needed(machine, reason):
    with pytest.raises(ClusterTrouble, match=reason) as trouble:
        choose(machine)
    assert trouble.value.status == 3


def test_a_kubeconfig_that_up_wrote_is_not_somebody_elses(tmp_path):
    environ = {"CAUSAL_ROLLOUTS_RUN": str(tmp_path), "KUBECONFIG": str(tmp_path / "kubeconfigs/admin")}
    assert state.foreign_kubeconfig(environ) is None
    assert state.foreign_kubeconfig({**environ, "KUBECONFIG": "/elsewhere"}) == Path("/elsewhere")


def test_what_up_saved_is_what_others_load(tmp_path):
    environ = {"CAUSAL_ROLLOUTS_RUN": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(ClusterTrouble, match="no cluster is up"):
        state.load(environ)
    places = state.Places.of(environ)
    cluster = state.Cluster(
        Provider.HOST, tmp_path / "admin", tmp_path / "kubectl", "http://127.0.0.1:1", "", places
    )
    state.save(cluster)
    assert state.load(environ) == cluster


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ID=debian\n", True), ('ID=ubuntu\nID_LIKE="debian"\n', True), ("ID=fedora\n", False)],
)
def test_debian_and_its_children_are_recognised(tmp_path, text, expected):
    (tmp_path / "os-release").write_text(text)
    assert is_debian(tmp_path / "os-release") is expected
