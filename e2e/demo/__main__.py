"""Commands for people and make: build, test, noise, image, load. The trial is `python -m e2e.demo.trial`."""

import argparse
import sys
from collections.abc import Sequence

from e2e.cluster import images, state
from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo import build
from e2e.demo.noise_settings import USUAL
from e2e.demo.traffic import Load
from e2e.demo.versions import VERSIONS


def main(words: Sequence[str]) -> int:
    wanted = _parser().parse_args(words)
    try:
        wanted.act(wanted)
    except ClusterTrouble as trouble:
        print(f"e2e.demo: {trouble}", file=sys.stderr)
        return trouble.status
    return 0


def _build(_: argparse.Namespace) -> None:
    print(build.build().service.parent)


def _test(_: argparse.Namespace) -> None:
    print(build.run_tests(), end="")


def _noise(_: argparse.Namespace) -> None:
    print("\n".join([*USUAL.lines(), *(f"{v.name}              {v.says}" for v in VERSIONS.values())]))


def _image(wanted: argparse.Namespace) -> None:
    images.load_static(wanted.name, build.build().service, state.load())
    say(f"{wanted.name} is in every node")


def _load(wanted: argparse.Namespace) -> None:
    binary, gateway = build.build().load, state.load().gateway_url
    Load(binary, gateway, wanted.host, wanted.rate, wanted.minutes * 60).start()
    say(f"{wanted.rate:g} requests a second to {wanted.host} for {wanted.minutes:g} minutes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m e2e.demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, act, text in (
        ("build", _build, "build the programs, print where they are"),
        ("test", _test, "their own tests"),
        ("noise", _noise, "what is not quiet on purpose, and what each version does"),
    ):
        commands.add_parser(name, help=text).set_defaults(act=act)
    image = commands.add_parser("image", help="the service as an image of this name, in every node")
    image.add_argument("name", help="as pods say it, such as localhost/checkout:1")
    image.set_defaults(act=_image)
    load = commands.add_parser("load", help="requests through the gateway, in the background, for a while")
    load.add_argument("host", help="host name of the route")
    load.add_argument("--rate", type=float, default=120, help="a second (default 120)")
    load.add_argument("--minutes", type=float, default=20, help="until it ends by itself (default 20)")
    load.set_defaults(act=_load)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
