#!/usr/bin/env bash
# Renews the hash-pinned locks; they carry no index address on purpose.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 "$@"; }
compile requirements/bootstrap.in -o requirements/bootstrap.txt
compile --extra offline pyproject.toml requirements/dev.in -o requirements/dev.txt
compile pyproject.toml -c requirements/dev.txt -o requirements/operator.txt
compile -c requirements/dev.txt requirements/oracles.in -o requirements/oracles.txt
compile requirements/release.in -o requirements/release.txt
compile requirements/docs.in -o requirements/docs.txt
compile requirements/browser.in -o requirements/browser.txt
