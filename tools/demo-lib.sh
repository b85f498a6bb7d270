# What tools/run-demo and tools/stop-demo share: where the demonstration lives and who runs there. To be sourced.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# closed_folder PATH: prints the first folder on the way there that other users may not pass; fails if there is none.
closed_folder() {
  local folder=$1
  while [[ $folder != / ]]; do
    if [[ -d $folder && $(stat -c %A "$folder") != *[xt] ]]; then
      echo "$folder"
      return 0
    fi
    folder=$(dirname "$folder")
  done
  return 1
}

# QEMU runs as a user of its own and must get at the guest's files: not in the checkout if that lies in /root.
default_root=.vireo
! closed_folder "$PWD" >/dev/null || default_root=/var/lib/vireo-demo
root=$(realpath -m "${VIREO_ROOT:-$default_root}")
socket=$root/run/libvirt-sock
pid_file=$root/run/vireod.pid
uri="qemu+unix:///system?socket=$socket"
guest=hello

# Prints the pid of the vireod that runs on our root; fails if none does. A pid file may be older than the last boot,
# so the process must be a vireod.
daemon_pid() {
  local pid exe
  pid=$(cat "$pid_file" 2>/dev/null) || return 1
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
  [[ ${exe% (deleted)} == */vireod ]] || return 1
  [[ $(awk '/^State:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) != Z ]] || return 1
  echo "$pid"
}

# virsh on our daemon. It answers within the time or fails: a demonstration must not hang.
v() { timeout 60 virsh -q -c "$uri" "$@"; }
