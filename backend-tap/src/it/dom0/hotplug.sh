#!/bin/bash
# One disk is attached and detached ten times in a row, with a write and a read each time: as xl does it where no QEMU runs.
. /payload/dom0/common.sh

times=10
serve 0
make qcow2 /tmp/disk.qcow2 64M
for n in $(seq $times); do
  attached qcow2 /tmp/disk.qcow2 xvda
  head -c 1M /dev/urandom > /tmp/data
  dd if=/tmp/data of=/dev/xvda bs=64k seek=$((n * 16)) oflag=direct status=none || fail "writing, time $n"
  dd if=/dev/xvda of=/tmp/back bs=64k skip=$((n * 16)) count=16 iflag=direct status=none || fail "reading, time $n"
  cmp /tmp/data /tmp/back || fail "other data, time $n"
  detached xvda
  [ "$together" ] || await 60 has_no_process || fail "the disk's process stays"
  [ $n != 1 ] || first=$(ls "/proc/$backend_pid/fd" | wc -l)
done
last=$(ls "/proc/$backend_pid/fd" | wc -l)
[ "$last" -le "$first" ] || fail "the back end had $first files open after the first time, and has $last after $times"
qemu-img check -q /tmp/disk.qcow2 || fail "qemu-img check"
no_errors
say "all well"
