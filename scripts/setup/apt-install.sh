#!/usr/bin/env bash
# Installs Debian packages without prompting, as root:  apt-install.sh PACKAGE...
# PostgreSQL's package installs only its programs: no cluster is created and no server is started.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# The package creates a cluster when it is installed, unless a drop-in file forbids it. The file is removed afterwards,
# so that it does not affect what the owner of the machine installs later.
if [[ " $* " == *" postgresql"* ]]; then
  drop_ins=/etc/postgresql-common/createcluster.d
  mkdir -p "$drop_ins"
  echo 'create_main_cluster = false' >"$drop_ins/dataporter-setup.conf"
  trap 'rm -f "$drop_ins/dataporter-setup.conf"; rmdir --ignore-fail-on-non-empty "$drop_ins"' EXIT
fi

apt-get update || echo "failed to update the package lists, continuing with the existing ones"
apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
