# Words of the scripts that run in Dom0; read by each of them. "backend" in the environment of the machine says whose back end serves: ours ("vdisk"),
# or QEMU's ("qdisk"), which is the baseline.
set -u
. /payload/settings # backend
export VDISK_JAVA_HOME=/payload/jre VDISK_TAP_FOLDER=/run/vdisk
PATH=/payload/tools/bin:$PATH
dom0=/local/domain/0
log=/out/backend.log

say() { echo "[$(cut -d' ' -f1 /proc/uptime)] $*"; }

# fail SENTENCE: ends the script, after what may tell why
fail() {
  say "FAILED: $*"
  xenstore-ls -f $dom0/backend 2>&1 | head -n 60
  tail -n 40 $log 2> /dev/null
  dmesg | tail -n 15
  exit 1
}

# await SECONDS COMMAND...: until it succeeds. Emulated seconds are cheap: give many.
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
  if [ "$backend" = qdisk ]; then
    /usr/libexec/xen-qemu-system-i386 -xen-domid "$1" -xen-attach -name "disks-$1" -nographic -M xenpv -daemonize -monitor none -serial none \
      -parallel none -pidfile "/run/qemu-$1.pid" >> $log 2>&1 || fail "QEMU does not start for domain $1"
    xenstore-write "/local/domain/$1/image/device-model-pid" "$(cat "/run/qemu-$1.pid")"
    backend_pid=$(cat "/run/qemu-$1.pid")
  elif [ -z "${backend_pid-}" ]; then
    start_daemon
  fi
}

# attach DOMAIN FORMAT FILE DEVICE [ACCESS]: as xl does it, for a back end of the kind "qdisk"
attach() {
  xl block-attach "$1" "format=$2,vdev=$4,access=${5:-rw},backendtype=qdisk,target=$3" >> $log 2>&1 ||
    fail "xl block-attach of $3"
}

# path_of DEVICE: its number in Xen's store: xvda is 51712, each next letter 16 more
number_of() { echo $((51712 + 16 * ($(printf '%d' "'${1#xvd}") - 97))); }

is_connected() { [ "$(xenstore-read "$dom0/backend/qdisk/$1/$(number_of "$2")/state" 2> /dev/null)" = 4 ]; }

# attached FORMAT FILE DEVICE [ACCESS]: in Dom0, and there
attached() {
  attach 0 "$@"
  await 120 test -b "/dev/$3" || fail "no /dev/$3"
  await 120 is_connected 0 "$3" || fail "/dev/$3 is not connected"
  say "$2 is /dev/$3 of $(blockdev --getsize64 "/dev/$3") bytes"
}

is_gone() { [ ! -e "/dev/$1" ] && ! xenstore-exists "$dom0/backend/qdisk/0/$(number_of "$1")"; }

# detached DEVICE: from Dom0, and gone
detached() {
  xl block-detach 0 "$1" >> $log 2>&1 || fail "xl block-detach of $1"
  await 120 is_gone "$1" || fail "$1 stays"
  say "detached"
}

# make FORMAT FILE SIZE: an empty image. The formats are those of xl, and more words for kinds of them.
make() {
  case $1 in
    qcow2-backed)
      qemu-img create -q -f raw "$2.base" "$3"
      mke2fs -q -F "$2.base" # something to be seen through the overlay
      qemu-img create -q -f qcow2 -b "$2.base" -F raw "$2"
      ;;
    vhd) vdisk create -f vhd "$2" "$3" > /dev/null ;;
    vhd-differencing)
      vdisk create -f vhd "$2.base" "$3" > /dev/null
      vdisk create -f vhd -b "$2.base" -F vhd "$2" > /dev/null
      ;;
    *) qemu-img create -q -f "$1" "$2" "$3" ;;
  esac || fail "making $2"
}

# can_serve FORMAT: xl knows its name, or not: then its disk's "params" are put right behind xl's back
format_of() {
  case $1 in
    qcow2-backed) echo qcow2 ;;
    vhd-differencing) echo vhd ;;
    *) echo "$1" ;;
  esac
}

# leave FORMAT FILE SUM: the image for the checks after the run, with the md5 sum of what the guest saw as its disk
leave() {
  cp --sparse=always "$2"* /out/
  echo "$1 ${2##*/} $3" >> /out/images
}

no_errors() { ! dmesg | grep -E 'I/O error|segfault|blkfront.*(fail|error)|BUG|Oops' || fail "errors in the kernel's log"; }
