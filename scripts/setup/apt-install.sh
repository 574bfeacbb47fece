#!/usr/bin/env bash
# Installs Debian packages without asking anything, as root:  apt-install.sh PACKAGE...
# A PostgreSQL that comes in this way brings its programs only: Debian's own cluster is not created, nothing is started.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# A cluster is created by the package's own installation unless a drop-in file forbids it; the file is gone again
# afterwards, since what the machine's owner installs later is not ours to decide.
if [[ " $* " == *" postgresql"* ]]; then
  drop_ins=/etc/postgresql-common/createcluster.d
  mkdir -p "$drop_ins"
  echo 'create_main_cluster = false' >"$drop_ins/dataporter-setup.conf"
  trap 'rm -f "$drop_ins/dataporter-setup.conf"; rmdir --ignore-fail-on-non-empty "$drop_ins"' EXIT
fi

apt-get update || echo "the package lists could not be renewed; going on with those there are"
apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
