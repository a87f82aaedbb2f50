#!/usr/bin/env bash
# Builds the wheel into the folder (dist/ by default) so that the same commit gives the same bytes anywhere.
set -euo pipefail
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
.venv/bin/python -m hatchling build -t wheel -d "${1:-dist}"
