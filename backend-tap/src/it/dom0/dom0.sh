#!/bin/bash
# The front end of Dom0 itself uses a disk of each format named (all without any): writes, reads, makes a file system, discards, detaches.
. /payload/dom0/common.sh

size=64M
data=8 # MiB written

use() {
  local format=$1 file=/tmp/disk.$1 device=$2
  make "$format" "$file" $size
  attached "$format" "$file" "$device"

  # Past the page cache, at both ends of the disk.
  local last=$(($(blockdev --getsize64 "/dev/$device") / 1048576 - data))
  for at in 0 $last; do
    dd if=/tmp/data of="/dev/$device" bs=1M seek=$at oflag=direct status=none || fail "writing at $at MiB"
    dd if="/dev/$device" of=/tmp/back bs=1M skip=$at count=$data iflag=direct status=none || fail "reading at $at MiB"
    cmp /tmp/data /tmp/back || fail "other data at $at MiB"
  done
  say "$data MiB at 0 and at $last MiB written and read back"

  mke2fs -q -F -t ext4 "/dev/$device" || fail mke2fs
  mount "/dev/$device" /mnt || fail mount
  cp /tmp/data /mnt/kept && cp /tmp/data /mnt/removed || fail "writing files"
  umount /mnt || fail umount
  mount "/dev/$device" /mnt || fail "mounting again"
  cmp /tmp/data /mnt/kept || fail "other data in the file"
  rm /mnt/removed
  if [ "$(cat "/sys/block/$device/queue/discard_max_bytes")" != 0 ]; then
    fstrim -v /mnt || fail "discarding what the file system does not use"
  else
    say "this disk takes no discards"
  fi
  cmp /tmp/data /mnt/kept || fail "other data in the file after discarding"
  umount /mnt || fail umount
  say "a file system with a file of $data MiB kept"

  local sum
  sum=$(dd if="/dev/$device" bs=1M iflag=direct status=none | md5sum) || fail "reading all"
  detached "$device"
  leave "$format" "$file" "${sum%% *}"
}

head -c ${data}M /dev/urandom > /tmp/data
serve 0
[ $# -gt 0 ] || set -- raw qcow qcow2 qcow2-backed vhd vhd-differencing vmdk
letters=abcdefgh
for format in "$@"; do
  say "== $format"
  use "$format" "xvd${letters:0:1}"
  letters=${letters:1}
  rm -f /tmp/disk.*
done
no_errors
say "all well"
