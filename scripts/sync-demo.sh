#!/usr/bin/env bash
# Demonstrates the sync: a hub with the demo academy, and stand-ins for GA4, Mixpanel and a mail server, which print
# what they receive and fail occasionally, as real services do. Everything runs on this machine, and nothing leaves it.
#   LISTEN    the hub's address, by default 127.0.0.1:8080
#   DATA_DIR  the directory of the hub's database; by default a new ./data-sync-demo, which is removed at the end
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$scripts/setup.sh" run
"$scripts/build-frontend.sh"
# shellcheck source=scripts/env.sh
. "$scripts/env.sh"
cd "$ROOT"
cargo build --release --locked -p backend --bin dataporter -p stand-ins --bin stand-ins
programs=${CARGO_TARGET_DIR:-target}/release

listen=${LISTEN:-127.0.0.1:8080}
is_ours=
if [ -z "${DATA_DIR:-}" ]; then
  DATA_DIR=$ROOT/data-sync-demo
  is_ours=yes
fi
# A separate database, regardless of any .env file, and both services with the credentials of the stand-ins.
export DATA_DIR DATABASE_URL= APP_URL=
export GA4_ENABLED=true GA4_BASE_URL=http://127.0.0.1:8181
export GA4_MEASUREMENT_ID=G-STANDIN001 GA4_API_SECRET=standin-ga4-secret GA4_CONCURRENCY=4
export MIXPANEL_ENABLED=true MIXPANEL_BASE_URL=http://127.0.0.1:8182
export MIXPANEL_PROJECT_TOKEN=standin0mixpanel0token MIXPANEL_API_SECRET=standin0mixpanel0secret
export SMTP_URL=smtp://127.0.0.1:8183 MAIL_FROM="DataPorter Hub <hub@academia.example>"
export RUST_LOG=${RUST_LOG:-backend=info,embedded_postgres=info,backend::http=warn}

# Each program has its own process group, so that only this script receives Ctrl-C and stops them in order.
set -m
services=
hub=
nap=
finish() {
  trap - EXIT INT TERM
  echo "Stopping the demo…"
  for id in $nap $hub $services; do
    kill -TERM "$id" 2>/dev/null || true
    wait "$id" 2>/dev/null || true
  done
  if [ -n "$is_ours" ]; then rm -rf "$DATA_DIR"; fi
}
trap finish EXIT
trap 'exit 0' INT TERM

"$programs/stand-ins" --faults --delay 60 </dev/null &
services=$!
# The scheduler would sync everything before anyone could watch. Its other job, the backlog check, runs below.
"$programs/dataporter" serve --demo-if-empty --no-scheduler --listen "$listen" </dev/null &
hub=$!

until curl -sf -o /dev/null "http://$listen/readyz"; do
  for id in $services $hub; do
    if ! kill -0 "$id" 2>/dev/null; then exit 1; fi
  done
  sleep 0.3
done
"$programs/dataporter" telemetry:monitor-backlog
cat <<TEXT

Sign in at http://$listen/ as the admin (the sign-ins are above) and look at the sync card:
events are pending, the alarm is raised, and the mail about it was printed above.
Run the sync there and watch here what GA4 and Mixpanel receive. Some requests fail and are retried.
New events: play the video at http://$listen/en/player-demo
Metrics:    curl -s http://$listen/metrics | grep dataporter_sync
Press Ctrl-C to stop the demo.

TEXT
# The backlog check, more often than on the schedule, so that the end of the alarm is reported soon.
while kill -0 "$hub" 2>/dev/null && kill -0 "$services" 2>/dev/null; do
  sleep 15 </dev/null &
  nap=$!
  wait "$nap" || true
  nap=
  "$programs/dataporter" telemetry:monitor-backlog >/dev/null || true
done
