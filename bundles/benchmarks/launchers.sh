#!/bin/sh
# Prints how long launchers take for a container, beside posix_spawn in the same run.
# Usage: bundles/benchmarks/launchers.sh [COUNT]
# Needs cc, and what "mvn -DskipTests package" leaves.
set -eu
top=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd -P)
count=${1:-500}
home=$(echo "$top"/bundles/distribution/target/mezzo-*/lib)
home=${home%/lib}
program=$(echo "$top"/bundles/native/target/native/linux-*/mezzo-launcher)
[ -x "$program" ] && [ -d "$home/system" ] || {
  echo "launchers.sh: build first: mvn -DskipTests package" >&2
  exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cc -std=c11 -O2 -o "$folder/rate" "$top/bundles/native/src/test/c/rate.c"
path=$top/bundles/containerizer/target/test-classes:$top/bundles/containerizer/target/classes
for jar in "$home"/lib/*.jar "$home"/system/*/*.jar; do
  path=$path:$jar
done
TMPDIR=$folder java -Djava.io.tmpdir="$folder" -cp "$path" \
  org.mezzo.containerizer.processes.LauncherRate "$count" "$program" "$folder/rate"
