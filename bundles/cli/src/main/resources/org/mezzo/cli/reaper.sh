# Waits until process $2, started at $3, is gone. If folder $1 went before, all is well. If not the process
# was killed: then this kills the tasks that run in the folder, and deletes it.
trap '' HUP INT QUIT TERM PIPE
folder=$1
owner=$2
begin=$3

# Names of processes may hold blanks and brackets: fields of stat are counted behind the last bracket.
# State is 1 then, group 3, session 4, start time 20.
owned() {
  { read -r line <"/proc/$owner/stat"; } 2>/dev/null || return 1
  set -- ${line##*) }
  [ "${20}" = "$begin" ] && [ "$1" != Z ] && [ "$1" != X ]
}

while owned; do
  [ -d "$folder" ] || exit 0
  sleep 0.5
done
[ -d "$folder" ] || exit 0

# Prints the processes that belong to the folder: what its containers recorded, the sessions of those,
# their cgroups, and whatever has the folder in its environment.
members() {
  for file in "$folder"/run/*/*/containers/*/cgroup; do
    [ -f "$file" ] && read -r cgroup <"$file" && cat "$cgroup/cgroup.procs" 2>/dev/null
  done
  for file in "$folder"/run/*/*/containers/*/pid; do
    [ -f "$file" ] && [ ! -f "${file%/pid}/status" ] && read -r pid start shim <"$file" || continue
    if { read -r line <"/proc/$pid/stat"; } 2>/dev/null; then
      set -- ${line##*) }
      # The number may have gone to another process since.
      [ "${20}" = "$start" ] || continue
    fi
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } 2>/dev/null || continue
      each=${stat#/proc/}
      set -- ${line##*) }
      if [ "${each%/stat}" = "$pid" ] || [ "$3" = "$pid" ] || [ "$4" = "$pid" ]; then
        echo "${each%/stat}"
      fi
    done
  done
  for environment in /proc/[0-9]*/environ; do
    if grep -qsF "=$folder/" "$environment"; then
      each=${environment#/proc/}
      echo "${each%/environ}"
    fi
  done
}

round=0
while [ "$round" -lt 50 ]; do
  found=
  for pid in $(members); do
    if [ "$pid" != $$ ] && kill -KILL "$pid" 2>/dev/null; then
      found=yes
    fi
  done
  [ -n "$found" ] || break
  round=$((round + 1))
  sleep 0.1
done
for file in "$folder"/run/*/*/containers/*/cgroup; do
  [ -f "$file" ] && read -r cgroup <"$file" && rmdir "$cgroup" 2>/dev/null
  # What holds the cgroups of all agents stays as long as there is one.
  [ -f "$file" ] && rmdir "${cgroup%/*}" 2>/dev/null
done
rm -rf "$folder"
