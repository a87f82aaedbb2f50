"""Keys and certificates: one authority for the cluster, one certificate for each who speaks in it."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e.cluster.command import run
from e2e.cluster.folder import write_whole
from e2e.cluster.settings import API_ADDRESS, API_PORT, API_SERVICE, DNS_DOMAIN, Node

DAYS = "30"
SERVER = f"https://{API_ADDRESS}:{API_PORT}"


class Authority:
    """Signs into one folder; what is there already is kept, so that a second `up` changes no key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "ca.crt"
        self.key = folder / "ca.key"

    def establish(self) -> None:
        """The authority itself and the key that signs ServiceAccount tokens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if not self.certificate.exists():
            self._new_key(self.key)
            request: list[str | Path] = ["openssl", "req", "-x509", "-new", "-key", self.key]
            request += ["-days", DAYS, "-subj", "/CN=causal-rollouts-local"]
            request += ["-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"]
            write_whole(self.certificate, run(request))
        tokens, public = self.folder / "service-accounts.key", self.folder / "service-accounts.pub"
        if not public.exists():
            self._new_key(tokens)
            write_whole(public, run(["openssl", "pkey", "-in", tokens, "-pubout"]))

    def issue(self, name: str, user: str, groups: Sequence[str] = (), hosts: Sequence[str] = ()) -> None:
        """NAME.crt and NAME.key: a client certificate, and a server one too when it has hosts."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if certificate.exists():
            return
        self._new_key(key)
        uses = "clientAuth" + (",serverAuth" if hosts else "")
        extensions = (
            f"extendedKeyUsage={uses}\nkeyUsage=critical,digitalSignature\nbasicConstraints=CA:FALSE\n"
        )
        if hosts:
            extensions += f"subjectAltName={','.join(hosts)}\n"
        parameters = self.folder / f"{name}.ext"
        parameters.write_text(extensions)
        subject = "".join(f"/O={_escaped(group)}" for group in groups) + f"/CN={_escaped(user)}"
        request = run(["openssl", "req", "-new", "-key", key, "-subj", subject])
        signing: list[str | Path] = ["openssl", "x509", "-req", "-CA", self.certificate, "-CAkey", self.key]
        signing += ["-CAcreateserial", "-days", DAYS, "-extfile", parameters]
        signed = run(signing, stdin=request)
        parameters.unlink()
        write_whole(certificate, signed)

    def kubeconfig(self, name: str, path: Path, namespace: str = "default") -> Path:
        """A kubeconfig of certificate `name`, holding everything in itself, so that it can be copied away."""
        user = {
            "client-certificate-data": _encoded(self.folder / f"{name}.crt"),
            "client-key-data": _encoded(self.folder / f"{name}.key"),
        }
        return write_kubeconfig(path, user, self.certificate, SERVER, namespace)

    def _new_key(self, path: Path) -> None:
        run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path])
        path.chmod(0o600)


def write_kubeconfig(path: Path, user: dict[str, Any], ca: Path, server: str, namespace: str) -> Path:
    """JSON is YAML: every reader of kubeconfigs takes it."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "local",
        "clusters": [
            {"name": "local", "cluster": {"server": server, "certificate-authority-data": _encoded(ca)}}
        ],
        "users": [{"name": "local", "user": user}],
        "contexts": [
            {"name": "local", "context": {"cluster": "local", "user": "local", "namespace": namespace}}
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(config, indent=2))
    return path


def establish(authority: Authority, nodes: Sequence[Node], run_folder: Path) -> None:
    """Everyone's certificate, and a kubeconfig for each who calls the API server."""
    authority.establish()
    names = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{DNS_DOMAIN}",
    ]
    hosts = [f"IP:{API_ADDRESS}", f"IP:{API_SERVICE}", "IP:127.0.0.1", *(f"DNS:{name}" for name in names)]
    authority.issue("apiserver", "kube-apiserver", hosts=hosts)
    authority.issue("apiserver-kubelet", "kube-apiserver-kubelet", ["system:masters"])
    callers: list[tuple[str, str, list[str]]] = [
        ("admin", "admin", ["system:masters"]),
        ("controller-manager", "system:kube-controller-manager", []),
        ("scheduler", "system:kube-scheduler", []),
        ("proxy", "system:kube-proxy", []),
        ("traefik", "causal-rollouts:traefik", []),
        ("prometheus", "causal-rollouts:prometheus", []),
        ("kube-state-metrics", "causal-rollouts:kube-state-metrics", []),
    ]
    for name, user, groups in callers:
        authority.issue(name, user, groups)
    for node in nodes:
        authority.issue(
            node.name,
            f"system:node:{node.name}",
            ["system:nodes"],
            [f"IP:{node.address}", f"DNS:{node.name}"],
        )
    for name in [caller[0] for caller in callers] + [node.name for node in nodes]:
        path = run_folder / "kubeconfigs" / name
        if not path.exists():
            authority.kubeconfig(name, path)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _escaped(name: str) -> str:
    """A slash would begin the next part of the subject."""
    return name.replace("\\", "\\\\").replace("/", "\\/")
