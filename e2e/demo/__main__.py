"""Commands for people and for make: build, test, noise. The trial is `python -m e2e.demo.trial`."""

import argparse
import sys

from e2e.cluster.trouble import ClusterTrouble
from e2e.demo import build
from e2e.demo.noise_settings import USUAL
from e2e.demo.versions import VERSIONS


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.demo", description=__doc__)
    parser.add_argument("command", choices=("build", "test", "noise"))
    command = parser.parse_args(words).command
    try:
        if command == "build":
            print(build.build().service.parent)
        elif command == "test":
            print(build.run_tests(), end="")
        else:
            print(
                "\n".join([*USUAL.lines(), *(f"{v.name}              {v.says}" for v in VERSIONS.values())])
            )
    except ClusterTrouble as trouble:
        print(f"e2e.demo: {trouble}", file=sys.stderr)
        return trouble.status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
