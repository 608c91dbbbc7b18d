# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share. Sourced, never run.
# shellcheck shell=bash

repo_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Everything that the demo keeps lives here; the tests name a directory of their own.
state_dir=$(realpath -m "${FRESHET_DEMO_DIR:-$repo_dir/.freshet-demo}")
# Debian keeps dockerd, ip and iptables where an ordinary user's PATH does not look.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT]
die() {
  say "error: $1"
  [ $# -lt 2 ] || say "hint: $2"
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    die "'$1' needs root, and there is no sudo" "run the script as root"
  fi
}

# The distribution's docker before others: what is tested is what Debian ships.
docker=/usr/bin/docker
[ -x "$docker" ] || docker=docker

# wait_until SECONDS COMMAND...: false when the command is still false at the deadline.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# has_argument PID WORD: whether that process lives and has WORD among its arguments.
# A pid file alone proves nothing: the number may belong to somebody else by now.
has_argument() {
  [ -n "$1" ] && [ -r "/proc/$1/cmdline" ] &&
    tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -xF -- "$2" >/dev/null
}

is_gone() { ! has_argument "$@"; }

# stage TITLE COMMAND...: one line for the reader, all output to a log that is shown on failure.
stage() {
  local title=$1 started=$SECONDS log
  shift
  log=$state_dir/logs/${title//[^A-Za-z0-9]/-}.log
  mkdir -p "$state_dir/logs"
  printf '  %-36s' "$title"
  if "$@" >"$log" 2>&1 </dev/null; then
    printf 'ok %4d s\n' $((SECONDS - started))
  else
    printf 'failed\n'
    tail -n 40 "$log" >&2
    die "'$title' failed" "the whole log is $log"
  fi
}
