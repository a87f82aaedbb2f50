#!/usr/bin/env bash
# Makes the project's virtual environment from the hash-pinned lock, once per lock.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.installed
want=$(cat requirements/bootstrap.txt requirements/dev.txt pyproject.toml | sha256sum | cut -c1-16)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

find_python() {
  for name in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$name" ] || continue
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$name"; return; }
  done
  return 1
}

python=$(find_python) || {
  echo "Python 3.11 or newer is needed and was not found; install it, or name one with PYTHON=/path/to/python" >&2
  exit 3
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> installing python3-venv (needed to make a virtual environment)"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  else
    echo "Python's venv module is missing; install the package python3-venv and run this again" >&2
    exit 3
  fi
fi
echo "==> making .venv with $("$python" --version) from requirements/dev.txt (hash-pinned; about a minute)"
"$python" -m venv .venv
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
.venv/bin/uv pip install -q --require-hashes -r requirements/dev.txt
.venv/bin/uv pip install -q --no-deps --no-build-isolation -e .
echo "$want" >"$stamp"
echo "==> .venv is ready"
