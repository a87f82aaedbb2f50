#!/usr/bin/env bash
# Everything of one release into dist/, from its tag: scripts/release.sh v0.1.0. It publishes nothing.
# Wheel, chart, install.yaml, image (TAG is IMAGE:VERSION), bill of materials, licences, and the sums of all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?say the tag, such as v0.1.0}
version=${tag#v}
refuse() { echo "$1" >&2; exit 1; }

[ "$(git describe --exact-match --tags HEAD 2>/dev/null)" = "$tag" ] || refuse "HEAD is not $tag; check the tag out"
[ -z "$(git status --porcelain)" ] || refuse "the tree has changes; commit or drop them"
grep -qx "version = \"$version\"" pyproject.toml || refuse "pyproject.toml: version is not $version"
grep -qx "version: $version" charts/causal-rollouts/Chart.yaml || refuse "Chart.yaml: version is not $version"
grep -qx "appVersion: $version" charts/causal-rollouts/Chart.yaml || refuse "Chart.yaml: appVersion is not $version"
grep -q "^## \[$version\]" CHANGELOG.md || refuse "CHANGELOG.md has no section [$version]"

scripts/venv.sh
rm -rf dist && mkdir dist
scripts/wheel.sh dist
again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
scripts/wheel.sh "$again"
cmp dist/*.whl "$again"/*.whl || refuse "two builds of the wheel differ"
.venv/bin/python -m e2e.chart --package dist
[ -z "$(git status --porcelain)" ] || refuse "config/ is not what the chart renders; run make manifests and tag anew"
scripts/supply-chain.sh dist
image=dist/causal-rollouts-image-$version.tar
TAG=${IMAGE:-localhost/causal-rollouts}:$version ARCHIVE=$image scripts/image.sh
gzip -n "$image"
(cd dist && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
