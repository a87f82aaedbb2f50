#!/usr/bin/env bash
# Bill of materials and licences of exactly what the image holds: requirements/operator.txt, installed alone.
# Writes sbom.json (CycloneDX) and licences.txt into the folder (dist/ by default); a licence that is not on the list fails.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Permissive ones, and certifi's MPL, which asks nothing of who only ships it.
allowed='Apache;BSD;MIT;ISC;PSF;Python Software Foundation;Mozilla Public License;MPL-2.0;Zlib;0BSD'

.venv/bin/uv venv -q -p .venv/bin/python "$work/operator"
VIRTUAL_ENV=$work/operator .venv/bin/uv pip install -q --require-hashes -r requirements/operator.txt
.venv/bin/uv venv -q -p .venv/bin/python "$work/tools"
VIRTUAL_ENV=$work/tools .venv/bin/uv pip install -q --require-hashes -r requirements/release.txt

"$work/tools/bin/cyclonedx-py" environment --pyproject pyproject.toml --mc-type application \
  --output-reproducible --of JSON -o "$out/sbom.json" "$work/operator/bin/python"
"$work/tools/bin/pip-licenses" --python="$work/operator/bin/python" --from=mixed --with-urls --order=license \
  --partial-match --allow-only="$allowed" --output-file="$out/licences.txt"
echo "wrote $out/sbom.json and $out/licences.txt"
