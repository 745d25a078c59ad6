# Forks the shims of one agent. Reads requests from stdin until the agent closes it:
#
#   launch ID HOLD [CGROUP]  start the container whose files are in RUNTIME/containers/ID; HOLD is 1
#                            when it must wait until it is let go, CGROUP a cgroup.procs to enter
#
# A shim and its task are forks of this shell: no program is started for them but the task's own.
# The shim is handed to init at once, so that it outlives agent and launcher.

runtime=$1
mkfifo=$2
set -f
umask 022
cd / || exit 1
exec 3<>"$runtime/events"
echo "$$" >"$runtime/launcher.pid"

task() {
  read -r stat </proc/self/stat
  set -- $stat
  pid=$1 start=${22}
  if [ -n "$cgroup" ]; then
    echo "$pid" >"$cgroup" || { echo "failed $id cannot enter cgroup $cgroup" >&3; exit 125; }
  fi
  echo "$pid $start $shim $shimstart" >"$dir/pid" || { echo "failed $id cannot record the pid" >&3; exit 125; }
  if [ "$hold" = 1 ]; then
    "$mkfifo" "$dir/go" && exec 4<>"$dir/go" || exit 125
    echo "started $id $pid $start $shim $shimstart" >&3
    read -r go <&4
    [ "$go" = go ] || exit 125
    exec 4<&-
  else
    echo "started $id $pid $start $shim $shimstart" >&3
  fi
  # Shells that can undo what they did to a process in the background do it here.
  trap - INT QUIT
  exec 3<&-
  . "$dir/command"
}

shim() {
  id=$1 hold=$2 cgroup=$3
  dir=$runtime/containers/$id
  read -r stat </proc/self/stat
  set -- $stat
  shim=$1 shimstart=${22}
  # Bash forgets a job in wait, the others do not: only the report on a job tells a signal from an
  # exit with a status above 128.
  [ -z "$BASH_VERSION" ] || trap 'jobs -l >"$dir/jobs"' CHLD
  ( task ) &
  child=$!
  trap '' HUP INT QUIT PIPE TERM
  wait "$child"
  status=$?
  raw=$((status << 8))
  if [ "$status" -gt 128 ]; then
    [ -n "$BASH_VERSION" ] || jobs -l >"$dir/jobs"
    read -r report <"$dir/jobs"
    case $report in
      *"$child Done"* | *"$child Exit "*) ;;
      *"core dumped"*) raw=$status ;;
      *) raw=$((status - 128)) ;;
    esac
  fi
  echo "$raw" >"$dir/status"
  echo "exited $id $raw" >&3
}

while read -r request first second rest; do
  case $request in
    launch) ( shim "$first" "$second" "$rest" & ) ;;
  esac
done
