"""etcd, API server, controller manager, scheduler and the one kube-proxy, as programs of this machine."""

import json
from pathlib import Path

from e2e.cluster import parts, pki
from e2e.cluster.kubectl import kubectl
from e2e.cluster.places import Places
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.settings import API_ADDRESS, API_PORT, POD_RANGE, SERVICE_RANGE
from e2e.cluster.state import Cluster

API_SERVER = "kube-apiserver"
BRAINS = (API_SERVER, "etcd", "kube-controller-manager", "kube-scheduler", "kube-proxy")

# Who wrote what: enough to count the writes of a controller at rest, and no more.
AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
        {
            "level": "None",
            "users": ["system:kube-scheduler", "system:kube-controller-manager", "system:apiserver"],
        },
        {"level": "None", "resources": [{"group": "coordination.k8s.io"}]},
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
        {"level": "None"},
    ],
}


def start(cluster: Cluster) -> None:
    """All five; returns when the API server answers ready. The others need no waiting: they retry."""
    cluster.programs.start(_etcd(cluster))
    cluster.programs.start(_api_server(cluster))
    wait_for(
        "the API server to say that it is ready",
        lambda: _ready(cluster),
        90,
        alive=lambda: cluster.programs.check("etcd", API_SERVER),
    )
    for program in (_controller_manager(cluster), _scheduler(cluster), _proxy(cluster)):
        cluster.programs.start(program)
    say("the API server is ready")


def pause(cluster: Cluster) -> None:
    """Freeze the API server: connections stay open and nothing answers."""
    cluster.need_host("pausing the API server")
    cluster.programs.pause(API_SERVER)


def resume(cluster: Cluster) -> None:
    cluster.need_host("resuming the API server")
    cluster.programs.resume(API_SERVER)


def audit_log(cluster: Cluster) -> Path:
    """One JSON line for each write by anyone who is not a part of Kubernetes itself."""
    cluster.need_host("the audit log")
    return cluster.places.logs / "audit.jsonl"


def _ready(cluster: Cluster) -> bool:
    return kubectl(cluster, "get", "--raw", "/readyz", seconds=5).strip() == "ok"


def _binary(name: str, places: Places) -> str:
    return str(parts.program(parts.KUBERNETES, name, places))


def _etcd(cluster: Cluster) -> Program:
    client, peer = (f"http://127.0.0.1:{cluster.port(name)}" for name in ("etcd", "etcd-peer"))
    return Program(
        "etcd",
        (
            "etcd",
            f"--data-dir={cluster.places.data / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--auto-compaction-retention=10m",
            "--log-level=warn",
        ),
    )


def _api_server(cluster: Cluster) -> Program:
    keys = cluster.places.pki
    policy = cluster.places.run / "audit-policy.json"
    policy.write_text(json.dumps(AUDIT))
    flags = {
        "etcd-servers": f"http://127.0.0.1:{cluster.port('etcd')}",
        # Only a cluster address: nothing listens to the outside.
        "bind-address": API_ADDRESS,
        "advertise-address": API_ADDRESS,
        "secure-port": API_PORT,
        "service-cluster-ip-range": SERVICE_RANGE,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "feature-gates": "MutatingAdmissionPolicy=true",
        "runtime-config": "admissionregistration.k8s.io/v1beta1=true",
        "allow-privileged": "true",
        "client-ca-file": keys / "ca.crt",
        "tls-cert-file": keys / "apiserver.crt",
        "tls-private-key-file": keys / "apiserver.key",
        "kubelet-client-certificate": keys / "apiserver-kubelet.crt",
        "kubelet-client-key": keys / "apiserver-kubelet.key",
        "kubelet-certificate-authority": keys / "ca.crt",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": keys / "service-accounts.pub",
        "service-account-signing-key-file": keys / "service-accounts.key",
        "audit-policy-file": policy,
        "audit-log-path": cluster.places.logs / "audit.jsonl",
        "audit-log-maxsize": 100,
        "audit-log-maxbackup": 1,
        "profiling": "false",
    }
    return Program(API_SERVER, (_binary(API_SERVER, cluster.places), *_flags(flags)))


def _controller_manager(cluster: Cluster) -> Program:
    keys = cluster.places.pki
    flags = {
        "kubeconfig": _config(cluster, "controller-manager"),
        "bind-address": "127.0.0.1",
        "secure-port": cluster.port("controller-manager"),
        "service-account-private-key-file": keys / "service-accounts.key",
        "root-ca-file": keys / "ca.crt",
        "cluster-signing-cert-file": keys / "ca.crt",
        "cluster-signing-key-file": keys / "ca.key",
        "use-service-account-credentials": "true",
        "allocate-node-cidrs": "false",
        "leader-elect": "false",
        "profiling": "false",
    }
    name = "kube-controller-manager"
    return Program(name, (_binary(name, cluster.places), *_flags(flags)))


def _scheduler(cluster: Cluster) -> Program:
    flags = {
        "kubeconfig": _config(cluster, "scheduler"),
        "bind-address": "127.0.0.1",
        "secure-port": cluster.port("scheduler"),
        "leader-elect": "false",
        "profiling": "false",
    }
    return Program("kube-scheduler", (_binary("kube-scheduler", cluster.places), *_flags(flags)))


def _proxy(cluster: Cluster) -> Program:
    """One is enough: all nodes share this machine's network namespace."""
    flags = {
        "kubeconfig": _config(cluster, "proxy"),
        "hostname-override": cluster.nodes[0].name,
        "proxy-mode": "iptables",
        "cluster-cidr": POD_RANGE,
        "healthz-bind-address": f"127.0.0.1:{cluster.port('proxy-health')}",
        "metrics-bind-address": f"127.0.0.1:{cluster.port('proxy-metrics')}",
        "iptables-localhost-nodeports": "false",
        "iptables-min-sync-period": "250ms",
        # Zero leaves the machine's connection tracking as it is.
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": 0,
        "conntrack-tcp-timeout-close-wait": 0,
        "oom-score-adj": 0,
    }
    return Program("kube-proxy", (_binary("kube-proxy", cluster.places), *_flags(flags)))


def _config(cluster: Cluster, name: str) -> Path:
    return cluster.places.run / "kubeconfigs" / name


def _flags(flags: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]


def certificates(cluster: Cluster) -> None:
    pki.establish(pki.Authority(cluster.places.pki), cluster.nodes, cluster.places.run)
