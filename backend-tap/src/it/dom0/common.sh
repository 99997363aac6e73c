# Words of the scripts that run in Dom0; read by each of them. "backend" says whose back end serves: ours ("vdisk"), or QEMU's ("qdisk"), which is the
# baseline.
set -u
. /payload/settings
export VDISK_JAVA_HOME=/payload/jre
PATH=/payload/tools/bin:$PATH
log=/out/backend.log
backend_pid=

say() { echo "[$(cut -d' ' -f1 /proc/uptime)] $*"; }

# fail SENTENCE: ends the script, after what may tell why
fail() {
  trap - EXIT
  say "FAILED: $*"
  xenstore-ls -f /local/domain/0/backend 2>&1 | head -n 60
  tail -n 40 $log 2> /dev/null
  dmesg | tail -n 15
  kill -- -$$ 2> /dev/null
  exit 1
}

# await SECONDS COMMAND...: until it succeeds. Emulated seconds are short of work: give many.
await() {
  local n=$(($1 * 10))
  shift
  until "$@" > /dev/null 2>&1; do
    sleep 0.1
    n=$((n - 1))
    [ $n -gt 0 ] || return 1
  done
}

# serve DOMAIN: starts what serves the disks of a domain. Ours serves all, and is started once.
serve() {
  if [ "$backend" = vdisk ]; then
    [ "$backend_pid" ] || start_daemon
    await 120 xenstore-exists "/local/domain/$1/image/device-model-pid" || fail "blktapd does not mark domain $1"
    return
  fi
  /usr/libexec/xen-qemu-system-i386 -xen-domid "$1" -xen-attach -name "disks-$1" -nographic -M xenpv -daemonize -monitor none -serial none \
    -parallel none -pidfile "/run/qemu-$1.pid" >> $log 2>&1 || fail "QEMU does not start for domain $1"
  backend_pid=$(cat "/run/qemu-$1.pid")
  xenstore-write "/local/domain/$1/image/device-model-pid" "$backend_pid"
}

# One process for all disks: to start a JVM for each would take most of the time here. With "apart" as a script's first argument there is a process for
# each disk, as without --together.
together=--together
if [ "${1:-}" = apart ]; then
  together=
  shift
fi
start_daemon() {
  # shellcheck disable=SC2086
  blktapd -D $together ${queues:+--queues $queues} >> $log 2>&1 &
  backend_pid=$!
}

kill_backend() {
  # shellcheck disable=SC2046
  kill -KILL $backend_pid $(pgrep -P $backend_pid)
  wait $backend_pid 2> /dev/null
  backend_pid=
}

# number_of DEVICE: in Xen's store; xvda is 51712, each next letter 16 more
number_of() { echo $((51712 + 16 * ($(printf '%d' "'${1#xvd}") - 97))); }

# nodes_of DOMAIN DEVICE: where the back end's half of a device is in Xen's store
nodes_of() { xenstore-read "/local/domain/$1/device/vbd/$(number_of "$2")/backend" 2> /dev/null; }

# is_foreign FORMAT: whether xl has no word for it, so that it is attached by our own command
is_foreign() { [ "$1" = vmdk ] || [ "$1" = ram ]; }

# attach DOMAIN FORMAT FILE DEVICE [ACCESS]
attach() {
  local format=${2%%-*}
  if is_foreign "$format"; then
    block-attach "$1" "$format:${3#ram:}" "$4" "${5:-w}" >> $log 2>&1 || fail "block-attach of $3"
  else
    xl block-attach "$1" "format=$format,vdev=$4,access=${5:-rw},backendtype=qdisk,target=$3" >> $log 2>&1 || fail "xl block-attach of $3"
  fi
}

# process_of DEVICE: the one that serves it in Dom0
process_of() { [ "$together" ] && echo "$backend_pid" || pgrep -P "$backend_pid" -f -- "--serve $(nodes_of 0 "$1")\$"; }
has_no_process() { ! pgrep -P "$backend_pid"; }

is_connected() { [ "$(xenstore-read "$(nodes_of "$1" "$2")/state" 2> /dev/null)" = 4 ]; }

# attached FORMAT FILE DEVICE [ACCESS]: in Dom0, and there
attached() {
  attach 0 "$@"
  await 120 test -b "/dev/$3" || fail "no /dev/$3"
  await 120 is_connected 0 "$3" || fail "/dev/$3 is not connected"
  say "$2 is /dev/$3 of $(blockdev --getsize64 "/dev/$3") bytes"
}

# is_forgotten DOMAIN DEVICE: whether Xen's store has nothing of it
is_forgotten() {
  ! xenstore-exists "/local/domain/$1/device/vbd/$(number_of "$2")" &&
    ! xenstore-ls -f /local/domain/0/backend 2> /dev/null | grep -q "/$1/$(number_of "$2")/state"
}
is_gone() { ! [ -e "/dev/$1" ] && is_forgotten 0 "$1"; }

# detached DEVICE: from Dom0, and gone
detached() {
  case $(nodes_of 0 "$1") in
    */vdisk/*) block-detach 0 "$1" ;;
    *) xl block-detach 0 "$1" ;;
  esac >> $log 2>&1 || fail "detaching $1"
  await 120 is_gone "$1" || fail "$1 stays"
  say "detached"
}

# make FORMAT FILE SIZE: an empty image
make() {
  case $1 in
    qcow2-backed)
      qemu-img create -q -f raw "$2.base" "$3" && mke2fs -q -F "$2.base" && # something to be seen through the overlay
        qemu-img create -q -f qcow2 -b "$2.base" -F raw "$2"
      ;;
    vhd) vdisk create -f vhd "$2" "$3" > /dev/null ;;
    vhd-differencing)
      vdisk create -f vhd "$2.base" "$3" > /dev/null && vdisk create -f vhd -b "$2.base" -F vhd "$2" > /dev/null
      ;;
    *) qemu-img create -q -f "$1" "$2" "$3" ;;
  esac || fail "making $2"
}

# leave FORMAT FILE SUM [OFFSET]: for the examination after the run, with the md5 sum of what the guest saw as its disk, and where on it its file
# system begins, or "none"
leave() {
  cp --sparse=always "$2"* /out/ || fail "no room for the image"
  echo "$1 ${2##*/} $3 ${4:-0}" >> /out/images
}

# archive_of FILE: the first file system of a guest that runs this script
archive_of() {
  chmod 755 "$1"
  cp /boot/domu.cpio "$1.cpio"
  echo "$1" | busybox cpio -o -H newc >> "$1.cpio" 2> /dev/null
}

# create NAME [LINE...]: a paravirtual guest that runs what archive_of made of "domu-run", and waits to be unpaused; with more lines of its
# configuration
create() {
  local name=$1
  shift
  {
    cat << CFG
name="$name"
type="pv"
memory=176
vcpus=${vcpus:-1}
kernel="/boot/vmlinux"
ramdisk="$PWD/domu-run.cpio"
extra="console=hvc0 loglevel=4 panic=1 mitigations=off tsc=reliable"
on_poweroff="destroy"
on_crash="destroy"
CFG
    printf '%s\n' "$@"
  } > "$name.cfg"
  xl create -p "$name.cfg" >> $log 2>&1 || fail "xl create of $name"
}

# with_disk FORMAT FILE: lines of a configuration, for a guest that has it from the beginning. xl wants a QEMU for it.
with_disk() {
  echo "disk=[\"format=${1%%-*},vdev=xvda,access=rw,backendtype=qdisk,target=$2\"]"
  echo "device_model_override=\"/payload/tools/bin/blktapd-dm\""
}

# What a guest's script begins with: the word that waits for its disk, which it is given when it has booted
guest_words='await_disk() {
  tries=3000
  while ! [ -b /dev/xvda ] && [ $tries -gt 0 ]; do
    sleep 0.1
    tries=$((tries - 1))
  done
}'

# console_of NAME: where what a guest prints is kept
console_of() { echo "/var/log/xen/console/guest-$1.log"; }

# said NAME: what a guest's script printed so far
said() { grep -a '^domu: ' "$(console_of "$1")" | tr -d '\r'; }

# has_said NAME WORDS: whether a line of a guest's begins so
has_said() { grep -aq "^domu: $2\b" "$(console_of "$1")"; }

has_ended() { ! xl domid "$1"; }

# succeeds NAME: waits for a guest's end, before which it is to say that all is well
succeeds() {
  await 600 has_ended "$1" || fail_of "$1" "does not end"
  has_said "$1" "all well" || fail_of "$1" "did not succeed"
}

# fail_of NAME WORDS: fail, after the last that a guest printed
fail_of() {
  tail -n 30 "$(console_of "$1")"
  fail "$1 $2"
}

# sum_of NAME: the md5 sum of its disk, as a guest printed it
sum_of() { sed -n 's/^domu: sum \([0-9a-f]*\).*/\1/p' "$(console_of "$1")"; }

no_errors() { ! dmesg | grep -E 'I/O error|segfault|BUG|Oops' || fail "errors in the kernel's log"; }
