"""Images without a registry or a daemon: one static program in one layer, put into every node."""

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from e2e.cluster import parts
from e2e.cluster.command import run
from e2e.cluster.settings import Node
from e2e.cluster.state import KIND_NAME, Cluster, Provider

MEDIA = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class StaticImage:
    """name: as a pod spec says it, such as localhost/demo:v1. files: further content by absolute path."""

    name: str
    binary: Path
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    user: str = "65532:65532"

    @property
    def entrypoint(self) -> str:
        return f"/{self.binary.name}"


def load_static(
    name: str,
    binary: Path,
    cluster: Cluster,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    user: str = "65532:65532",
) -> str:
    """Make an image of `binary` (its entry point) and give it to every node; returns the image's name.

    Pods name it with `imagePullPolicy: Never`. A node that has the very same image is left alone.
    """
    image = StaticImage(name, binary, args, env or {}, files or {}, user)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        digest = write_archive(image, archive)
        load_archive(archive, cluster, name, digest)
    return name


def load_archive(
    path: Path, cluster: Cluster, name: str = "", digest: str = "", nodes: Sequence[Node] = ()
) -> None:
    """Import an image archive (OCI layout or docker save) into these nodes, or into every one."""
    if cluster.provider is Provider.KIND:
        kind = parts.program(parts.KIND, "kind", cluster.places)
        some = ["--nodes", ",".join(node.name for node in nodes)] if nodes else []
        run([kind, "load", "image-archive", path, "--name", KIND_NAME, *some], seconds=300)
        return
    cluster.need_host("loading an image")
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda node: _import(path, cluster, node, name, digest), nodes or cluster.nodes))


def holds(cluster: Cluster, node: Node, name: str) -> bool:
    """Whether this node has an image of that name; kind's nodes are not asked and get it anew."""
    if cluster.provider is not Provider.HOST:
        return False
    return bool(run([*_ctr(cluster, node), "images", "ls", "-q", f"name=={name}"]).strip())


def write_archive(image: StaticImage, path: Path) -> str:
    """An OCI layout as tar; the same input gives the same bytes. Returns the manifest's digest."""
    layer = _layer(image)
    config = _encoded(
        {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(
                platform.machine(), platform.machine()
            ),
            "os": "linux",
            "config": {
                "Entrypoint": [image.entrypoint],
                "Cmd": list(image.args),
                "Env": ["PATH=/", *(f"{key}={value}" for key, value in image.env.items())],
                "User": image.user,
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _encoded(
        {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": _descriptor(config, f"{MEDIA}.config.v1+json"),
            "layers": [_descriptor(layer, f"{MEDIA}.layer.v1.tar")],
        }
    )
    named = _descriptor(manifest, f"{MEDIA}.manifest.v1+json")
    named["annotations"] = {"io.containerd.image.name": image.name}
    with tarfile.open(path, "w") as archive:
        _add(archive, "oci-layout", _encoded({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", _encoded({"schemaVersion": 2, "manifests": [named]}))
        for blob in (layer, config, manifest):
            _add(archive, f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}", blob)
    return _digest(manifest)


def _import(path: Path, cluster: Cluster, node: Node, name: str, digest: str) -> None:
    ctr = _ctr(cluster, node)
    if name and any(
        line.split()[2:3] == [digest] for line in run([*ctr, "images", "ls", f"name=={name}"]).splitlines()
    ):
        return
    run([*ctr, "images", "import", path], seconds=180)


def _ctr(cluster: Cluster, node: Node) -> list[str]:
    return ["ctr", "-a", str(cluster.containerd_socket(node)), "-n", "k8s.io"]


def _layer(image: StaticImage) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as layer:
        for folder, mode in (("tmp", 0o1777), ("etc", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            layer.addfile(entry)
        for place, content in sorted(image.files.items()):
            _add(layer, place.lstrip("/"), content)
        _add(layer, image.entrypoint.lstrip("/"), image.binary.read_bytes(), 0o755)
    return packed.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(content: bytes, media: str) -> dict[str, object]:
    return {"mediaType": media, "digest": _digest(content), "size": len(content)}
