"""One bridge carries pods and node addresses, and nothing of the three ranges ever leaves the machine."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from e2e.cluster import before
from e2e.cluster.command import run
from e2e.cluster.settings import API_ADDRESS, NODE_RANGE, POD_GATEWAY, POD_RANGE, SERVICE_RANGE, Node

BRIDGE = "crollout0"
RANGES = (POD_RANGE, SERVICE_RANGE, NODE_RANGE)
# Worse than any route that anyone sets: it counts only while the bridge is away.
LAST_RESORT = "4278198272"
TABLE = "9797"
CNI_NAME = "causal-rollouts"
CNI_PLUGINS = Path("/usr/lib/cni")
CNI_RESULTS = Path("/var/lib/cni/results")


def up(nodes: Sequence[Node]) -> None:
    """Safe to repeat: everything is replaced or is there already."""
    if shutil.which("modprobe"):
        for module in ("overlay", "br_netfilter"):
            run(["modprobe", module], check=False)
    for wanted in RANGES:
        run(["ip", "route", "replace", "unreachable", wanted, "metric", LAST_RESORT])
    if not _bridge_exists():
        run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    run(["ip", "address", "replace", f"{POD_GATEWAY}/{POD_RANGE.split('/')[1]}", "dev", BRIDGE])
    for address in (API_ADDRESS, *(node.address for node in nodes)):
        run(["ip", "address", "replace", f"{address}/32", "dev", BRIDGE])
    run(["ip", "link", "set", BRIDGE, "up"])
    # Programs on the host reach Services too: routed to the bridge, rewritten before they get there.
    run(["ip", "route", "replace", SERVICE_RANGE, "dev", BRIDGE, "src", POD_GATEWAY])
    # What pods send is answered here or nowhere.
    run(["ip", "route", "replace", POD_RANGE, "dev", BRIDGE, "table", TABLE])
    run(["ip", "route", "replace", "unreachable", "default", "table", TABLE])
    if TABLE not in run(["ip", "rule", "show"]):
        run(["ip", "rule", "add", "iif", BRIDGE, "lookup", TABLE, "priority", TABLE])
    before.set_setting("net.ipv4.ip_forward", "1")
    before.set_setting("net.bridge.bridge-nf-call-iptables", "1")


def cni_config(node: Node, leases: Path) -> str:
    first, last = node.pod_addresses
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(leases),
            "ranges": [
                [{"subnet": POD_RANGE, "rangeStart": first, "rangeEnd": last, "gateway": POD_GATEWAY}]
            ],
            "routes": [{"dst": "0.0.0.0/0", "gw": POD_GATEWAY}],
        },
    }
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return json.dumps(
        {"cniVersion": "0.4.0", "name": f"{CNI_NAME}-{node.name}", "plugins": plugins}, indent=2
    )


def our_namespaces(results: Path = CNI_RESULTS) -> list[str]:
    """Network namespaces of our pods, as the CNI library noted them."""
    found: set[str] = set()
    for file in results.glob(f"{CNI_NAME}-*"):
        try:
            interfaces = json.loads(file.read_text())["result"]["interfaces"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found.update(Path(i["sandbox"]).name for i in interfaces if i.get("sandbox"))
    return sorted(found)


def remove_namespaces() -> None:
    for name in our_namespaces():
        run(["ip", "netns", "delete", name], check=False)
    for file in CNI_RESULTS.glob(f"{CNI_NAME}-*"):
        file.unlink(missing_ok=True)


def down() -> None:
    while TABLE in run(["ip", "rule", "show"]):
        run(["ip", "rule", "delete", "priority", TABLE])
    run(["ip", "route", "flush", "table", TABLE], check=False)
    if _bridge_exists():
        run(["ip", "link", "delete", BRIDGE])
    for wanted in RANGES:
        run(["ip", "route", "delete", "unreachable", wanted, "metric", LAST_RESORT], check=False)


def leftovers() -> list[str]:
    found = [f"bridge {BRIDGE}"] if _bridge_exists() else []
    routes = run(["ip", "route", "show"]).splitlines()
    found += [f"route {line}" for line in routes if any(r in line for r in RANGES)]
    found += [f"rule {line}" for line in run(["ip", "rule", "show"]).splitlines() if TABLE in line]
    return found


def remove_rules() -> None:
    """Take kube-proxy's chains out of every table and leave everybody else's alone."""
    for tool in ("iptables", "ip6tables"):
        for table in ("nat", "filter", "mangle", "raw"):
            _remove_chains(tool, table)


def kube_chains(saved: str) -> list[str]:
    """Names of the chains that Kubernetes or the CNI plugins made, of iptables-save's output."""
    chains = [line[1:].split()[0] for line in saved.splitlines() if line.startswith(":")]
    return [c for c in chains if c.startswith(("KUBE-", "CNI-"))]


def _remove_chains(tool: str, table: str) -> None:
    saved = run([f"{tool}-save", "-t", table], check=False)
    chains = set(kube_chains(saved))
    if not chains:
        return
    jumps = [
        line
        for line in saved.splitlines()
        if line.startswith("-A ") and line.split()[1] not in chains and chains & set(line.split())
    ]
    script = [f"*{table}", *(f"-D {line[3:]}" for line in jumps)]
    script += [f"-F {chain}" for chain in sorted(chains)] + [f"-X {chain}" for chain in sorted(chains)]
    run([f"{tool}-restore", "--noflush", "-w", "5"], stdin="\n".join([*script, "COMMIT", ""]), check=False)


def _bridge_exists() -> bool:
    return Path(f"/sys/class/net/{BRIDGE}").exists()
