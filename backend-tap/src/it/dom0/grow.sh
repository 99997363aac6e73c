#!/bin/bash
# A disk becomes larger while a file system on it is mounted, and the file system with it.
. /payload/dom0/common.sh

old=$((64 << 20)) new=$((160 << 20))
is_larger() { [ "$(blockdev --getsize64 /dev/xvda)" = $new ]; }

serve 0
make qcow2 /tmp/disk.qcow2 $old
attached qcow2 /tmp/disk.qcow2 xvda
mke2fs -q -t ext4 /dev/xvda || fail mke2fs
mount /dev/xvda /mnt || fail mount
head -c 8M /dev/urandom > /mnt/before
sum=$(md5sum < /mnt/before)
xenstore-write "$(nodes_of 0 xvda)/vdisk-size" $new
await 120 is_larger || fail "/dev/xvda stays at $(blockdev --getsize64 /dev/xvda) bytes"
say "/dev/xvda has $new bytes now"
resize2fs /dev/xvda 2> /dev/null || fail resize2fs
head -c 80M /dev/urandom > /mnt/after || fail "the new room takes no file"
after=$(md5sum < /mnt/after)
umount /mnt
mount /dev/xvda /mnt || fail "mounting again"
[ "$(md5sum < /mnt/before)" = "$sum" ] && [ "$(md5sum < /mnt/after)" = "$after" ] || fail "other data in the files"
umount /mnt
sum=$(dd if=/dev/xvda bs=1M iflag=direct status=none | md5sum)
detached xvda
leave qcow2 /tmp/disk.qcow2 "${sum%% *}"
no_errors
say "all well"
