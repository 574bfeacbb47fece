# shellcheck shell=bash
# How the set-up talks: what is being done, for how long it has been, and where to look when it fails.
# Sourced; logs go to $DATAPORTER_TOOLS/log.

say() { printf '[setup] %s\n' "$*" >&2; }

fail() {
  say "FAILED: $*"
  exit 1
}

# step WHAT LOG COMMAND...: runs the command with its output in a log file, and keeps saying how long it has been at it.
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
    fail "$what, after $((SECONDS - began)) s; the whole output is in $log"
  fi
  say "$what: done in $((SECONDS - began)) s"
}

# On a terminal one line that ticks, elsewhere a line every half minute; both with the newest line of the log.
show_clock() {
  local what=$1 log=$2 began=$SECONDS pause=30 never newest
  if [ -t 2 ]; then pause=1; fi
  exec {never}<> <(:) # never has anything to read, so reading it waits without starting a process
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
