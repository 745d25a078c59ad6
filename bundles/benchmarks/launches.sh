#!/usr/bin/env bash
# Starts a master and an agent as they come, but for offers every 20 ms, launches tasks on them and prints how long that took, beside
# what posix_spawn of "true" takes in the same run, and what it cost in processor time and memory.
#
#   bundles/benchmarks/launches.sh [AGENT_FLAG ...]     e.g. --launcher=shell
#
# Needs cc and curl, and what "mvn -DskipTests package" leaves. Some minutes. Alone on the machine, or the figures
# say little; compare shares rather than figures.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
home=$(ls -d "$top"/bundles/distribution/target/mezzo-*/ 2>/dev/null | head -n 1)
jar=$top/bundles/benchmarks/target/benchmarks.jar
if [ -z "$home" ] || [ ! -f "$jar" ]; then
  echo "launches.sh: build first: mvn -DskipTests package" >&2
  exit 1
fi
port=$((RANDOM % 10000 + 20000))
work=$(mktemp -d)
# /run, where agents have it as they come, is in memory on most machines; in containers often not.
run=$work/run
if [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
  run=$(mktemp -d /dev/shm/mezzo-XXXXXX)
fi
master=
agent=
cleanup() {
  local pid
  for pid in $agent $master; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work" "$run"
}
trap cleanup EXIT

up() {
  for _ in $(seq 600); do
    curl -fs -o "$work/health" "http://127.0.0.1:$1/health" && return 0
    sleep 0.1
  done
  echo "launches.sh: $2 did not come up:" >&2
  cat "$work/$2.log" >&2
  exit 1
}

cc -std=c11 -O2 -o "$work/rate" "$top/bundles/native/src/test/c/rate.c"
"${home}bin/mezzo" master --port="$port" --work_dir="$work/master" --allocation_interval=20ms >"$work/master.log" 2>&1 &
master=$!
up "$port" master
"${home}bin/mezzo" agent --master="127.0.0.1:$port" --port=$((port + 1)) --work_dir="$work/agent" \
  --runtime_dir="$run" --resources='cpus:16;mem:16384;disk:16384' "$@" >"$work/agent.log" 2>&1 &
agent=$!
up $((port + 1)) agent
spawner=-
for process in /proc/[0-9]*; do
  if [ "$(cat "$process/comm" 2>/dev/null)" = mezzo-spawner ] &&
    tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "$run"; then
    spawner=${process#/proc/}
  fi
done
# What is compiled quickly leaves the processors to those who are measured.
java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$jar" org.mezzo.benchmarks.load.LaunchLoad \
  "$port" "$master" $((port + 1)) "$agent" "$spawner" "$work/rate"
