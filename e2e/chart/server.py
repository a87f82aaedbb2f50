"""etcd and an API server alone, on loopback, for what must have a cluster to itself: policies and kinds.

No node and no controller runs: objects are judged, defaulted, mutated and kept, and nothing is made of them.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.chart.helm import helm
from e2e.cluster import debian, parts
from e2e.cluster.kubectl import kubectl
from e2e.cluster.parts import Part
from e2e.cluster.pki import Authority
from e2e.cluster.places import Places, places
from e2e.cluster.programs import Program, Programs
from e2e.cluster.progress import wait_for
from e2e.cluster.settings import Settings
from e2e.cluster.state import Cluster, Provider

TOKEN = "admin-of-a-throw-away-server"  # noqa: S105 - lives as long as one test run, on loopback
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: admin}}}}]
clusters: [{{name: here, cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: {token}}}}}]
"""


@contextmanager
def api_server(folder: Path) -> Iterator[Cluster]:
    """An empty cluster as its admin sees it; everything it writes is in `folder`."""
    real = places()
    debian.install(("etcd-server", "openssl"))
    parts.ensure((parts.KUBERNETES,), real)
    where = Places(real.cache, folder / "run", folder / "data")
    for each in (where.run, where.data):
        each.mkdir()
    client, peer, port = (_free_port() for _ in range(3))
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG.format(port=port, token=TOKEN))
    kubectl_ = parts.program(parts.KUBERNETES, "kubectl", real)
    found = Cluster(Provider.HOST, kubeconfig, kubectl_, "", "", where, Settings())
    running = Programs(where.run)
    try:
        running.start(_etcd(where, client, peer))
        running.start(_server(where, client, port))
        wait_for(
            "an API server of its own",
            lambda: kubectl(found, "get", "--raw", "/readyz", seconds=10).strip() == "ok",
            180,
            alive=lambda: running.check("etcd", "kube-apiserver"),
        )
        yield found
    finally:
        running.stop(["kube-apiserver", "etcd"], 20)


def helm_on(cluster: Cluster, *words: str | Path, part: Part = parts.HELM, seconds: float = 120) -> str:
    """One call of Helm against this cluster."""
    return helm(*words, "--kubeconfig", cluster.kubeconfig, part=part, seconds=seconds)


def _etcd(where: Places, client: int, peer: int) -> Program:
    mine, others = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    return Program(
        "etcd",
        (
            "etcd",
            f"--data-dir={where.data / 'etcd'}",
            f"--listen-client-urls={mine}",
            f"--advertise-client-urls={mine}",
            f"--listen-peer-urls={others}",
            f"--initial-advertise-peer-urls={others}",
            f"--initial-cluster=default={others}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
    )


def _server(where: Places, client: int, port: int) -> Program:
    tokens = where.run / "tokens.csv"
    tokens.write_text(f"{TOKEN},admin,admin,system:masters\n")
    where.pki.mkdir()
    Authority(where.pki).establish()
    return Program(
        "kube-apiserver",
        (
            str(parts.program(parts.KUBERNETES, "kube-apiserver", where)),
            f"--etcd-servers=http://127.0.0.1:{client}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={port}",
            # It signs its own certificate there.
            f"--cert-dir={where.pki}",
            f"--token-auth-file={tokens}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            "--feature-gates=MutatingAdmissionPolicy=true",
            "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={where.pki / 'service-accounts.pub'}",
            f"--service-account-signing-key-file={where.pki / 'service-accounts.key'}",
        ),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
