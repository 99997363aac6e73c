#!/bin/bash
# A disk of 3 TiB, whose sectors do not fit into 32 bits: its beginning, middle and end.
. /payload/dom0/common.sh

gib=$((1 << 30))
serve 0
make qcow2 /tmp/disk.qcow2 3T
attached qcow2 /tmp/disk.qcow2 xvda
[ "$(blockdev --getsize64 /dev/xvda)" = $((3072 * gib)) ] || fail "another size"
n=160
for at in 0 $((1024 * gib)) $((2048 * gib - 65536)) $((2048 * gib)) $((3072 * gib - 65536)); do
  n=$((n + 1))
  head -c 65536 /dev/zero | tr '\0' "\\$(printf '%o' $n)" > /tmp/data.$n
  dd if=/tmp/data.$n of=/dev/xvda bs=64k seek=$((at / 65536)) oflag=direct status=none || fail "writing at $at"
  echo "$at $n" >> /tmp/written
done
while read -r at n; do
  dd if=/dev/xvda of=/tmp/back bs=64k skip=$((at / 65536)) count=1 iflag=direct status=none || fail "reading at $at"
  cmp /tmp/data.$n /tmp/back || fail "other data at $at"
done < /tmp/written
detached xvda
while read -r at n; do
  qemu-io -r -f qcow2 -c "read -q -P $n $at 64k" /tmp/disk.qcow2 || fail "qemu-io sees other data at $at"
done < /tmp/written
qemu-img check -q /tmp/disk.qcow2 || fail "qemu-img check"
no_errors
say "all well"
