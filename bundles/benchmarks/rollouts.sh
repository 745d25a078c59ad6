#!/usr/bin/env bash
# How long a rollout takes: to 200 emulated hosts in batches of 20, then to real agents, each with a distribution of
# its own, one by one; and how soon a version that cannot be resolved is stopped and undone on either.
#
#   bundles/benchmarks/rollouts.sh [REAL_AGENTS]     10 by default, some 150 MB of memory each
#
# Needs curl, and what "mvn -DskipTests package" leaves. Some minutes. Alone on the machine, or the figures say little.
set -euo pipefail
agents=${1:-10}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
home=$(ls -d "$top"/bundles/distribution/target/mezzo-*/ 2>/dev/null | head -n 1)
load=$top/bundles/benchmarks/target/benchmarks.jar
hook=$top/examples/hook-origin/target/hook-origin-1.0.0.jar
if [ -z "$home" ] || [ ! -f "$load" ] || [ ! -f "$hook" ]; then
  echo "rollouts.sh: build first: mvn -DskipTests package" >&2
  exit 1
fi
work=$(mktemp -d)
port=$((RANDOM % 10000 + 20000))
processes=()
cleanup() {
  for pid in "${processes[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  wait
  rm -rf "$work"
}
trap cleanup EXIT

master() {
  "${home}bin/mezzo" master --port="$1" --work_dir="$work/master-$1" >"$work/master-$1.log" 2>&1 &
  processes+=($!)
  until_there "http://127.0.0.1:$1/health" . "$work/master-$1.log"
}

# Until an answer has something; the log of who does not answer so.
until_there() {
  for _ in $(seq 1200); do
    if curl -fs "$1" 2>/dev/null | grep -q "$2" || { [ "$2" = . ] && curl -fs -o "$work/answer" "$1"; }; then
      return 0
    fi
    sleep 0.1
  done
  echo "rollouts.sh: $1 does not say $2" >&2
  cat "$3" >&2
  exit 1
}

echo "Emulated:"
master "$port"
java -cp "$load" org.mezzo.benchmarks.rollouts.RolloutLoad "127.0.0.1:$port"

port=$((port + 100))
master "$port"
for i in $(seq "$agents"); do
  cp -a "$home" "$work/home-$i"
  cp "$hook" "$work/home-$i/modules/"
  "$work/home-$i/bin/mezzo" agent --master="127.0.0.1:$port" --port=$((port + i)) --hooks=origin \
    --work_dir="$work/agent-$i" --runtime_dir="$work/run-$i" --resources='cpus:1;mem:256' >"$work/agent-$i.log" 2>&1 &
  processes+=($!)
  until_there "http://127.0.0.1:$port/metrics/snapshot" "\"master/slaves_connected\":$i[,.}]" "$work/agent-$i.log"
done
echo "Real:"
java -cp "$load" org.mezzo.benchmarks.rollouts.RolloutLoad "127.0.0.1:$port" agents=0 batch=1 jar="$hook"
