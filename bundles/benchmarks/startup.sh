#!/usr/bin/env bash
# Measures how long mezzo master takes from the start of its process to the first 200 of /health, and
# the memory it holds 10 s later, on every Java (17 or newer) of the machine, with and without the
# class data archive. Prints one line for each.
#
#   bundles/benchmarks/startup.sh [RUNS] [DISTRIBUTION]
#
# RUNS is 10 unless given; DISTRIBUTION a folder, that of the last build unless given.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
runs=${1:-10}
home=${2:-$(ls -d "$top"/bundles/distribution/target/mezzo-*/ | head -n 1)}
home=${home%/}
port=$((RANDOM % 10000 + 20000))
work=$(mktemp -d)
master=
cleanup() {
  [ -z "$master" ] || kill "$master" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

java_homes() {
  local home
  for home in "${JAVA25_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if [ -n "$home" ] && [ -x "$home/bin/java" ]; then
      readlink -f "$home"
    fi
  done | sort -u
}

# Prints the status of /health, nothing while nobody answers.
health() {
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 0
  printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  read -r -t 5 line <&3 || line=
  exec 3>&-
  set -- $line
  echo "${2:-}"
}

# One start: sets $millis, and with "memory" as argument $rss in MB.
start() {
  local begin now
  begin=${EPOCHREALTIME/./}
  "$home/bin/mezzo" master --port="$port" --work_dir="$work/master" >"$work/log" 2>&1 &
  master=$!
  until [ "$(health)" = 200 ]; do
    kill -0 "$master" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    now=${EPOCHREALTIME/./}
    [ $((now - begin)) -lt 60000000 ] || { echo "not up after a minute" >&2; exit 1; }
    sleep 0.005
  done
  now=${EPOCHREALTIME/./}
  millis=$(((now - begin) / 1000))
  if [ "${1:-}" = memory ]; then
    sleep 10
    rss=$(awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$master/status")
  fi
  kill "$master"
  wait "$master" 2>/dev/null || true
  master=
  rm -rf "$work/master"
}

printf '%-10s %-8s %12s %12s %12s %10s\n' java archive 'median ms' 'best ms' 'worst ms' 'RSS MB'
for java_home in $(java_homes); do
  feature=$("$java_home/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
  [ "${feature:-0}" -ge 17 ] || continue
  export JAVA_HOME=$java_home
  for archive in no yes; do
    if [ "$archive" = yes ]; then
      export MEZZO_CLASS_DATA=
      "$home/bin/mezzo" class-data >/dev/null
    else
      export MEZZO_CLASS_DATA=off
    fi
    times=()
    start memory
    for _ in $(seq "$runs"); do
      start
      times+=("$millis")
    done
    sorted=($(printf '%s\n' "${times[@]}" | sort -n))
    printf '%-10s %-8s %12s %12s %12s %10s\n' "$feature" "$archive" "${sorted[$((runs / 2))]}" \
      "${sorted[0]}" "${sorted[$((runs - 1))]}" "$rss"
  done
done
