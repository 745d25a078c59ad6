#!/usr/bin/env bash
# What swapping, installing and rolling out modules costs: the gap that callers see of a swap of each kind, on an idle
# cluster and under load; of the allocator with 10,000 and 50,000 emulated agents; the time from a jar to a module in
# use; rollouts to 200 emulated hosts and to ten real agents.
#
#   bundles/benchmarks/modules.sh [PART ...]     allocator, installs, rollouts, swaps; all of them by default
#
# Needs curl, Maven for the swaps, and what "mvn -DskipTests package" leaves. The swaps take half an hour, the rest some
# minutes. Alone on the machine, or the figures say little.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
home=$(ls -d "$top"/bundles/distribution/target/mezzo-*/ 2>/dev/null | head -n 1)
load=$top/bundles/benchmarks/target/benchmarks.jar
hook=$top/examples/hook-origin/target/hook-origin-1.0.0.jar
if [ -z "$home" ] || [ ! -f "$load" ] || [ ! -f "$hook" ]; then
  echo "modules.sh: build first: mvn -DskipTests package" >&2
  exit 1
fi
parts=("$@")
[ $# -gt 0 ] || parts=(allocator installs rollouts swaps)
work=$(mktemp -d)
cluster=
cleanup() {
  [ -z "$cluster" ] || kill "$cluster" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap cleanup EXIT

installs() {
  local port=$((RANDOM % 10000 + 20000))
  cp -a "$home" "$work/home"
  "$work/home/bin/mezzo" local --port="$port" --hooks=origin --work_dir="$work/work" >"$work/log" 2>&1 &
  cluster=$!
  local tries=0
  until curl -fs -o "$work/answer" "http://127.0.0.1:$port/health"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then
      echo "modules.sh: no cluster on port $port" >&2
      cat "$work/log" >&2
      exit 1
    fi
    sleep 0.1
  done
  java -cp "$load" org.mezzo.benchmarks.rollouts.InstallLoad "127.0.0.1:$port" "$work/home/modules" "$hook"
  kill "$cluster"
  cluster=
}

for part in "${parts[@]}"; do
  case $part in
    allocator)
      echo "Swaps of the allocator in large clusters:"
      java -Xmx10g -cp "$load" org.mezzo.benchmarks.loop.SwapBenchmark
      ;;
    installs)
      echo "From a jar to a module in use, one hook of one process:"
      installs
      ;;
    rollouts)
      "$top/bundles/benchmarks/rollouts.sh"
      ;;
    swaps)
      (cd "$top" && mvn -q -B verify -pl itests -am -Pswaps -Dtest=none -Dsurefire.failIfNoSpecifiedTests=false)
      echo "Swaps of each kind under load, and in brackets without what the proof held calls for:"
      cat "$top/itests/target/swaps.md"
      echo "Swaps of each kind on an idle cluster:"
      cat "$top/itests/target/swaps-idle.md"
      ;;
    *)
      echo "modules.sh: no part '$part': allocator, installs, rollouts, swaps" >&2
      exit 2
      ;;
  esac
done
