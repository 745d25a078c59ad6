#!/usr/bin/env bash
# How long a framework on the driver of Mesos waits from an offer to the first update of its task, and from a launch that the master
# answers by itself to that answer, and how many updates it gets in a second; beside the plain v1 client, in turns, with the same
# master and agent.
#
#   bundles/benchmarks/driver.sh [TASKS] [ROUND_TRIPS] [UPDATES]     200, 5000 and 20000 by default
#
# Needs curl, and what "mvn -DskipTests package" leaves. Some minutes. Alone on the machine, or the figures
# say little; compare shares rather than figures.
set -euo pipefail
counts=("${1:-200}" "${2:-5000}" "${3:-20000}")
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
home=$(ls -d "$top"/bundles/distribution/target/mezzo-*/ 2>/dev/null | head -n 1)
load=$top/bundles/benchmarks/target/benchmarks.jar
brought=$top/itests/target/mesos-clients
if [ -z "$home" ] || [ ! -f "$load" ] || [ ! -d "$brought" ]; then
  echo "driver.sh: build first: mvn -DskipTests package" >&2
  exit 1
fi
work=$(mktemp -d)
port=$((RANDOM % 10000 + 20000))
master=
agent=
cleanup() {
  local pid
  for pid in $agent $master; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT

up() {
  for _ in $(seq 600); do
    curl -fs -o "$work/health" "http://127.0.0.1:$1/health" && return 0
    sleep 0.1
  done
  echo "driver.sh: $2 did not come up:" >&2
  cat "$work/$2.log" >&2
  exit 1
}

# Runs the rest of the arguments, a load that is called $1, and keeps its line of figures.
figures() {
  local through=$1
  shift
  if ! "$@" "127.0.0.1:$port" "${counts[@]}" >"$work/figures" 2>"$work/said"; then
    echo "driver.sh: the load through the $through failed:" >&2
    cat "$work/figures" "$work/said" >&2
    exit 1
  fi
  sed "s/^/$through /" "$work/figures" | tee -a "$work/all" | sed 's/ / | /g; s/^/| /; s/$/ |/'
}

"${home}bin/mezzo" master --port="$port" --work_dir="$work/master" --allocation_interval=20ms >"$work/master.log" 2>&1 &
master=$!
up "$port" master
"${home}bin/mezzo" agent --master="127.0.0.1:$port" --port=$((port + 1)) --work_dir="$work/agent" \
  --runtime_dir="$work/run" --resources='cpus:16;mem:16384;disk:16384' >"$work/agent.log" 2>&1 &
agent=$!
up $((port + 1)) agent
driver=${home}driver/mezzo-mesos-driver.jar
classes=$driver:$brought/mesos-1.11.0.jar:$brought/protobuf-java-3.5.0.jar
echo "| through | µs from offer to update, p50 | p99 | µs from launch to answer, p50 | p99 | updates a second |"
echo "|---|---|---|---|---|---|"
for _ in 1 2 3; do
  figures client java -cp "$load" org.mezzo.benchmarks.driver.ClientLoad
  figures driver java -cp "$classes" "$top/bundles/benchmarks/driver/DriverLoad.java"
done
# The median of three for the one through the other.
ratio() {
  local name
  for name in driver client; do
    awk -v name="$name" -v column="$1" '$1 == name { print $column }' "$work/all" | sort -n | sed -n 2p
  done | awk 'NR == 1 { driver = $1 } NR == 2 { printf "%.2f", driver / $1 }'
}
echo
echo "Driver by client, medians of three: offer to update $(ratio 2), launch to answer $(ratio 4), updates a second $(ratio 6)"
echo "Size of mezzo-mesos-driver.jar: $(wc -c <"$driver") bytes"
