"""Commands: up, down, status, build, load-image, env. See README.md beside this file."""

import argparse
import fcntl
import os
import shlex
import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster import debian, host, images, kind, parts, provider, state, status, teardown
from e2e.cluster.command import run
from e2e.cluster.places import Places, places
from e2e.cluster.progress import say
from e2e.cluster.settings import MOST_NODES, Settings
from e2e.cluster.state import Provider
from e2e.cluster.trouble import ClusterTrouble


def main(words: list[str]) -> int:
    wanted = _parser().parse_args(words)
    try:
        return int(wanted.act(wanted) or 0)
    except ClusterTrouble as trouble:
        print(f"e2e.cluster: {trouble}", file=sys.stderr)
        return trouble.status
    except KeyboardInterrupt:
        print("e2e.cluster: interrupted; `up` goes on from here, `down` clears away", file=sys.stderr)
        return 130


def _up(wanted: argparse.Namespace) -> int:
    which = _provider()
    if which is Provider.EXISTING:
        return status.show(state.load())
    settings = Settings(wanted.nodes, wanted.cores, wanted.period_us, int(wanted.scrape_seconds * 1000))
    with _alone(places()):
        cluster = (kind if which is Provider.KIND else host).up(places(), settings)
    say(f"the cluster is up: export KUBECONFIG={cluster.kubeconfig}")
    return 0


def _down(_: argparse.Namespace) -> int:
    with _alone(places()):
        begun = state.find({**os.environ, "KUBECONFIG": ""})
        if begun is None and not places().data.exists() and not places().run.exists():
            say("no cluster is up")
            return 0
        if begun and begun.provider is Provider.KIND:
            kind.down(begun)
            return 0
        teardown.down(places())
        left = teardown.leftovers(places())
    for item in left:
        print(f"left behind: {item}", file=sys.stderr)
    return 1 if left else 0


def _status(_: argparse.Namespace) -> int:
    found = state.find()
    if found is None:
        print("no cluster is up")
        return 2
    return status.show(found)


def _build(_: argparse.Namespace) -> int:
    with _alone(places()):
        which = _provider()
        if which is Provider.HOST:
            host.build(places())
        elif which is Provider.KIND:
            kind.build(places())
    say(f"everything is built in {places().cache}")
    return 0


def _load_image(wanted: argparse.Namespace) -> int:
    path: Path = wanted.path
    if tarfile.is_tarfile(path):
        images.load_archive(path, state.load())
    elif wanted.name:
        images.load_static(wanted.name, path, state.load())
    else:
        raise ClusterTrouble(f"{path} is a program: give the image a name with --name localhost/NAME:TAG")
    return 0


def _env(_: argparse.Namespace) -> int:
    cluster = state.load()
    for name, value in cluster.environment().items():
        print(f"export {name}={shlex.quote(value)}")
    if cluster.provider is not Provider.EXISTING:
        # Helm need not be built yet.
        ours = (cluster.kubectl.parent, parts.HELM.folder(cluster.places), Path(sys.executable).parent)
        print(f'export PATH={shlex.quote(":".join(map(str, ours)))}:"$PATH"')
    return 0


def _provider() -> Provider:
    return provider.choose(
        provider.Machine(
            foreign_kubeconfig=state.foreign_kubeconfig(os.environ),
            docker_answers=_docker_answers(),
            is_debian=debian.is_debian() and shutil.which("apt-get") is not None,
            is_root=os.geteuid() == 0,
        )
    )


def _docker_answers() -> bool:
    if not shutil.which("docker"):
        return False
    try:
        return bool(run(["docker", "info", "--format", "{{.ServerVersion}}"], seconds=15).strip())
    except ClusterTrouble:
        return False


@contextmanager
def _alone(where: Places) -> Iterator[None]:
    """One command at a time builds or changes the cluster."""
    where.cache.mkdir(parents=True, exist_ok=True)
    with (where.cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another cluster command is at work; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = argparse.ArgumentParser(prog="python -m e2e.cluster", description="A real local cluster.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="make the cluster, or go on making it; a second time takes seconds")
    up.add_argument("--nodes", type=int, default=default.nodes, choices=range(1, MOST_NODES + 1), metavar="N")
    up.add_argument("--cores", type=float, default=default.cores, help="CPU budget of each node")
    up.add_argument(
        "--period-us", type=int, default=default.period_us, help="over which the budget is given out"
    )
    up.add_argument("--scrape-seconds", type=float, default=default.scrape_ms / 1000)
    up.set_defaults(act=_up)
    for name, act, text in (
        ("down", _down, "take everything away"),
        (
            "status",
            _status,
            "what runs and what is missing; 0 all runs, 1 something is missing, 2 no cluster",
        ),
        ("build", _build, "build and install the parts without starting anything"),
        ("env", _env, "print KUBECONFIG, PROMETHEUS_URL, GATEWAY_URL and a PATH for a shell to eval"),
    ):
        commands.add_parser(name, help=text).set_defaults(act=act)
    load = commands.add_parser("load-image", help="put an image archive or a static program into every node")
    load.add_argument("path", type=Path)
    load.add_argument("--name", help="localhost/NAME:TAG, for a program")
    load.set_defaults(act=_load_image)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
