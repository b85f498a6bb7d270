# What bench/floor and bench/peers share: building, and servers that last as long as the measurement. To be sourced.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=build/release/bin
work=$(mktemp -d -t vireo-bench.XXXXXX)
chmod 755 "$work" # QEMU runs as a user of its own and has to get there
holders=()
say() { printf 'bench: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Servers run until their standard input ends: `hold` keeps the other end open in this shell, and nothing outlives it.
hold() {
  local pipe=$work/hold.${#holders[@]}
  mkfifo "$pipe"
  "$@" <"$pipe" >"$work/log.${#holders[@]}" 2>&1 &
  exec {fd}>"$pipe"
  holders+=("$fd:$!")
}
cleanup() {
  local holder name
  # vireod's guests outlive it; a measurement that was cut short may have left some.
  if [[ ${private_vireod:-} ]]; then
    while read -r name; do
      [[ -z $name ]] || timeout 20 virsh -q -c "$(uri "$vireo_socket")" destroy "$name" >/dev/null 2>&1
    done < <(timeout 20 virsh -q -c "$(uri "$vireo_socket")" list --name 2>/dev/null)
  fi
  for holder in "${holders[@]}"; do
    fd=${holder%%:*}
    exec {fd}>&-
  done
  for holder in "${holders[@]}"; do
    wait "${holder##*:}" 2>/dev/null
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

uri() { printf 'qemu+unix:///system?socket=%s' "$1"; }

# Waits until a server answers a client, at most 30 s (libvirtd probes QEMU on its first call).
answers() {
  local deadline=$((SECONDS + 30))
  until timeout 20 virsh -q -c "$(uri "$1")" version >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "no answer at $1: $(tail -qn 3 "$work"/log.* "$work"/*/*.log 2>/dev/null)"
    sleep 0.1
  done
}

start_libvirtd() {
  command -v libvirtd >/dev/null || fail "libvirtd is not installed: tools/install-deps bench"
  say "starting a private libvirtd $(libvirtd --version | awk '{ print $NF }')"
  hold bench/private-libvirtd "$work/libvirtd"
  libvirtd_socket=$work/libvirtd/libvirt-sock
  answers "$libvirtd_socket"
}

# start_floor UPSTREAM: the server that replays another one's answers.
start_floor() {
  floor_socket=$work/floor-sock.${#holders[@]}
  hold "$bin/bench_null_server" "$floor_socket" "$1"
  answers "$floor_socket"
}

# start_vireod: a daemon on a root of its own, unless VIREOD_SOCKET names one that runs.
start_vireod() {
  vireo_socket=${VIREOD_SOCKET:-}
  if [[ -z $vireo_socket ]]; then
    say "starting a private vireod"
    hold bench/with-stdin "$bin/vireod" --root "$work/vireo" --foreground
    vireo_socket=$work/vireo/run/libvirt-sock
    private_vireod=1
  fi
  answers "$vireo_socket"
}

# start_xenstores NAME,…: servers of xenstore's protocol, as bench_xenstore wants to be told of them: NAME=SOCKET:PID.
start_xenstores() {
  local name socket pid deadline=$((SECONDS + 30))
  xenstores=()
  for name in ${1//,/ }; do
    pid=
    case $name in
      c | ocaml)
        [[ -x /usr/lib/xen-4.17/bin/xenstored ]] || fail "xenstored is not installed: tools/install-deps bench"
        hold bench/private-xenstored "$name" "$work/$name"
        socket=$work/$name/socket ;;
      vireo)
        [[ ${VIREOD_SOCKET:-} ]] || start_vireod
        local run=${VIREOD_SOCKET:-$vireo_socket}
        run=${run%/*}
        socket=$run/xenstore-sock
        pid=$(<"$run/vireod.pid") ;;
      floor)
        socket=$work/xenstore-floor
        hold "$bin/bench_xenstore_floor" "$socket"
        pid=${holders[-1]##*:} ;;
      *) fail "no server is named '$name'; there are c, ocaml, vireo, floor" ;;
    esac
    until [[ -S $socket ]]; do
      ((SECONDS < deadline)) || fail "no answer at $socket: $(tail -qn 3 "$work"/log.* 2>/dev/null)"
      sleep 0.1
    done
    xenstores+=("$name=$socket:${pid:-$(<"$work/$name/pid")}")
  done
}
