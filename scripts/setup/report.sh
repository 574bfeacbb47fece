# shellcheck shell=bash
# Progress output of the setup: the current step, how long it has been running, and the log to read if it fails.
# Sourced. Logs are in $DATAPORTER_TOOLS/log.

say() { printf '[setup] %s\n' "$*" >&2; }

fail() {
  say "FAILED: $*"
  exit 1
}

# step WHAT LOG COMMAND...: runs the command with its output in a log file, and shows how long it has been running.
step() {
  local what=$1 log=$DATAPORTER_TOOLS/log/$2.log began=$SECONDS clock status=0
  shift 2
  mkdir -p "$DATAPORTER_TOOLS/log"
  : >"$log"
  say "$what ..."
  show_clock "$what" "$log" &
  clock=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$clock" 2>/dev/null || true
  wait "$clock" 2>/dev/null || true
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
  if [ "$status" -ne 0 ]; then
    tail -n 5 "$log" | sed 's/^/[setup]   | /' >&2
    fail "$what, after $((SECONDS - began)) s; the complete output is in $log"
  fi
  say "$what: done in $((SECONDS - began)) s"
}

# Shows the elapsed time and the last line of the log: updated every second on a terminal, else every half minute.
show_clock() {
  local what=$1 log=$2 began=$SECONDS pause=30 never newest
  if [ -t 2 ]; then pause=1; fi
  exec {never}<> <(:) # never readable, so a read with a timeout waits without starting a process
  while kill -0 "$$" 2>/dev/null; do
    read -r -t "$pause" -u "$never" || true
    newest=$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-60)
    if [ -t 2 ]; then
      printf '\r\033[K[setup] %s ... %s s  %s' "$what" $((SECONDS - began)) "$newest" >&2
    else
      say "$what ... $((SECONDS - began)) s  $newest"
    fi
  done
}
