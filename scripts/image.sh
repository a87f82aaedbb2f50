#!/usr/bin/env bash
# Builds the operator's image: docker where an engine answers, else buildah. BASE= names another base image, RUNTIME= one
# to run in that holds the same Python and less (scripts/base-image.sh makes both from Debian's packages).
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${TAG:-localhost/causal-rollouts:dev}
args=()
[ -n "${BASE:-}" ] && args+=(--build-arg "BASE=$BASE")
[ -n "${RUNTIME:-}" ] && args+=(--build-arg "RUNTIME=$RUNTIME")
if [ "${ENGINE:-docker}" = docker ] && docker info >/dev/null 2>&1; then
  exec docker build "${args[@]}" -t "$tag" .
elif command -v buildah >/dev/null; then
  # CA_CERTS: a bundle to trust while building, where the network has a certificate authority of its own.
  if [ -n "${CA_CERTS:-}" ]; then
    conf=$(mktemp) && printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$conf"
    args+=(-v "$CA_CERTS:/etc/ssl/certs/ca-certificates.crt:ro" -v "$conf:/etc/pip.conf:ro")
  fi
  exec buildah --storage-driver vfs build --layers --isolation chroot "${args[@]}" -t "$tag" .
fi
echo "neither a Docker engine nor buildah was found; install one of them" >&2
exit 3
