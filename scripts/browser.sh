#!/usr/bin/env bash
# Opens reports in a headless browser and looks at them: contrast, names, clipped words, scrolling, keys, paper.
# CHROMIUM=/path/to/it names a browser; else one that is there is taken, else Debian's is installed (root).
set -euo pipefail
cd "$(dirname "$0")/.."

find_browser() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" && return
  done
  return 1
}

if ! browser=$(find_browser); then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> installing the package chromium (no browser was found)"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null
  fi
  browser=$(find_browser) || {
    echo "no browser was found and none could be installed; install Chromium, or name one with CHROMIUM=/path/to/it" >&2
    exit 3
  }
fi
echo "==> $("$browser" --version 2>/dev/null); what drives it goes into an environment of its own (requirements/browser.txt)"
CHROMIUM=$browser exec .venv/bin/uv run -q --no-project -p .venv/bin/python --with-requirements requirements/browser.txt \
  python -m pytest -q -m browser tests/browser "$@"
