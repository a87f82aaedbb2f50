#!/usr/bin/env bash
# Makes the two bases of the image from Debian's packages, where no image registry can be reached (root, buildah,
# mmdebstrap): one with pip to build in, one with Python alone, without shell or package tools, to run in.
set -euo pipefail
suite=${SUITE:-bookworm}
build=${BUILD_BASE:-localhost/python-build:$suite}
run=${RUN_BASE:-localhost/python-run:$suite}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

image() { # image NAME TARBALL
  local container
  container=$(buildah --storage-driver vfs from scratch)
  buildah --storage-driver vfs add -q "$container" "$2" / >/dev/null
  buildah --storage-driver vfs config --env PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$container"
  buildah --storage-driver vfs commit -q --rm "$container" "$1" >/dev/null
  echo "$1"
}
debian() { # debian VARIANT PACKAGES TARBALL [MORE...]
  local variant=$1 packages=$2 tarball=$3
  shift 3
  mmdebstrap -q --variant="$variant" --include="$packages" "$@" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$tarball"
}

debian minbase python3,python3-venv,ca-certificates "$work/build.tar"
image "$build" "$work/build.tar"
# C++ is for the regular expressions of Prometheus. Nothing is configured in this one, so what ca-certificates would do when installed is done here.
debian extract python3,libstdc++6,ca-certificates "$work/run.tar" \
  --extract-hook='cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"'
image "$run" "$work/run.tar"
