"""`python -m e2e.gitops` builds Flux and Argo CD into the cache: minutes that a first test would wait for."""

import sys

from e2e.cluster import debian, parts
from e2e.cluster.places import places
from e2e.cluster.trouble import ClusterTrouble
from e2e.gitops import argo, flux


def main() -> int:
    try:
        debian.install(argo.PACKAGES)
        parts.ensure((*flux.PARTS, *argo.PARTS), places())
    except ClusterTrouble as trouble:
        print(f"e2e.gitops: {trouble}", file=sys.stderr)
        return trouble.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
