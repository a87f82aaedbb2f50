"""The recipe for a Debian machine as root: everything is a program or a pod of this machine."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from e2e.cluster import (
    before,
    control_plane,
    debian,
    dns,
    gateway,
    images,
    network,
    node,
    parts,
    prometheus,
    state,
    teardown,
)
from e2e.cluster.places import Places
from e2e.cluster.progress import say
from e2e.cluster.settings import Settings, free_ports
from e2e.cluster.state import Cluster, Provider
from e2e.cluster.trouble import ClusterTrouble


def build(places: Places) -> None:
    debian.install()
    parts.ensure(parts.HOST_PARTS, places)


def up(places: Places, settings: Settings) -> Cluster:
    """Every step is skipped where its work is done, so a second `up` is quick and a broken one is resumed."""
    build(places)
    cluster = _planned(places, settings)
    before.note(teardown.noted(places))
    network.up(cluster.nodes)
    control_plane.certificates(cluster)
    for each in cluster.nodes:
        node.start_containerd(cluster, each)
    control_plane.start(cluster)
    _load_images(cluster)
    for each in cluster.nodes:
        node.start_kubelet(cluster, each)
    prometheus.start(cluster)
    gateway.start(cluster)
    dns.start(cluster)
    node.wait_until_ready(cluster)
    gateway.wait_until_ready(cluster)
    prometheus.wait_until_ready(cluster)
    dns.wait_until_ready(cluster)
    return cluster


def _planned(places: Places, settings: Settings) -> Cluster:
    """The cluster that runs or was begun, if it is the one asked for; else a new one on free ports."""
    begun = state.find(places.environment())
    if begun is not None:
        if begun.settings.choice() != settings.choice():
            raise ClusterTrouble(
                f"a cluster with other settings is up ({begun.settings.summary()}); run `down` first, "
                f"or ask for the same"
            )
        return begun
    if places.data.exists():
        say("remains of an earlier cluster are here: clearing them away first")
        teardown.down(places)
    settings = replace(settings, ports=free_ports(settings.ports))
    for folder in (places.run, places.data):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
    cluster = Cluster(
        Provider.HOST,
        places.run / "kubeconfigs" / "admin",
        parts.program(parts.KUBERNETES, "kubectl", places),
        f"http://127.0.0.1:{settings.ports['prometheus']}",
        f"http://127.0.0.1:{settings.ports['gateway']}",
        places,
        settings,
    )
    state.save(cluster)
    return cluster


def _load_images(cluster: Cluster) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda each: node.wait_for_containerd(cluster, each), cluster.nodes))
    pause = parts.program(parts.PAUSE, "pause", cluster.places)
    images.load_static(node.PAUSE_IMAGE, pause, cluster)
    dns.load_image(cluster)
    say("pause and CoreDNS images are in every node")
