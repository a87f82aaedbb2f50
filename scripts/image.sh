#!/usr/bin/env bash
# Builds the operator's image: docker where an engine answers, else buildah. BASE= names another base image, RUNTIME= one
# to run in that holds the same Python and less (scripts/base-image.sh makes both from Debian's packages). ARCHIVE= names
# a file to put it into as well, for `docker load` and `ctr images import`.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${TAG:-localhost/causal-rollouts:dev}
args=()
[ -n "${BASE:-}" ] && args+=(--build-arg "BASE=$BASE")
[ -n "${RUNTIME:-}" ] && args+=(--build-arg "RUNTIME=$RUNTIME")
if [ "${ENGINE:-docker}" = docker ] && docker info >/dev/null 2>&1; then
  docker build "${args[@]}" -t "$tag" .
  [ -z "${ARCHIVE:-}" ] || docker save -o "$ARCHIVE" "$tag"
elif command -v buildah >/dev/null; then
  # CA_CERTS: a bundle to trust while building, where the network has a certificate authority of its own.
  if [ -n "${CA_CERTS:-}" ]; then
    conf=$(mktemp) && printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$conf"
    args+=(-v "$CA_CERTS:/etc/ssl/certs/ca-certificates.crt:ro" -v "$conf:/etc/pip.conf:ro")
  fi
  buildah --storage-driver vfs build --layers --isolation chroot "${args[@]}" -t "$tag" .
  [ -z "${ARCHIVE:-}" ] || buildah --storage-driver vfs push -q "$tag" "docker-archive:$ARCHIVE:$tag"
else
  echo "neither a Docker engine nor buildah was found; install one of them" >&2
  exit 3
fi
