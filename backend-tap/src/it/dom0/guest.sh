#!/bin/bash
# A paravirtual guest uses a disk of each format named (all without any): writes, reads, makes a file system, discards, ends. Arguments: "queues" for
# a guest of two processors, whose disk has two rings of four pages each, or "created" for one that has its disk from the beginning; formats.
. /payload/dom0/common.sh

size=48M
data=4 # MiB written
way=attached
case ${1:-} in
  queues | created)
    way=$1
    shift
    ;;
esac
[ $way != queues ] || vcpus=2 queues=2 # as many as the host has processors, if nobody says

# What the guest runs; it has only busybox, and says at the end that all is well.
cat > domu-run << RUN
#!/bin/sh
set -e
$guest_words
if [ $way = queues ]; then
  rmmod xen_blkfront
  insmod /modules/xen-blkfront.ko max_queues=2 max_ring_page_order=2
fi
echo "domu: awaits its disk"
await_disk
dd if=/dev/urandom of=/data bs=1M count=$data 2> /dev/null
dd if=/data of=/dev/xvda bs=1M seek=3 oflag=direct 2> /dev/null
dd if=/dev/xvda of=/back bs=1M skip=3 count=$data iflag=direct 2> /dev/null
cmp /data /back
echo "domu: $data MiB written and read back"
mke2fs /dev/xvda > /dev/null
mount -t ext4 /dev/xvda /mnt
cp /data /mnt/kept
cp /data /mnt/removed
umount /mnt
mount -t ext4 /dev/xvda /mnt
cmp /data /mnt/kept
rm /mnt/removed
[ "\$(cat /sys/block/xvda/queue/discard_max_bytes)" = 0 ] || fstrim /mnt
cmp /data /mnt/kept
umount /mnt
echo "domu: a file system with a file of $data MiB kept"
echo "domu: sum \$(dd if=/dev/xvda bs=1M iflag=direct 2> /dev/null | md5sum | cut -d' ' -f1)"
echo "domu: all well"
RUN
archive_of domu-run

use() {
  local format=$1 guest=guest-${1//[^a-z0-9]/} file=/tmp/disk.$1 domain
  make "$format" "$file" $size
  if [ $way = created ]; then
    serve 0 # which is before all guests
    mapfile -t lines < <(with_disk "$format" "$file")
    create "$guest" "${lines[@]}"
  else
    create "$guest"
  fi
  domain=$(xl domid "$guest")
  [ $way = created ] || serve "$domain"
  xl unpause "$guest" || fail "xl unpause"
  [ $way != queues ] || await 300 has_said "$guest" awaits || fail "the guest does not boot"
  [ $way = created ] || attach "$domain" "$format" "$file" xvda # which may wait for the guest
  say "domain $domain runs"
  if [ $way = queues ]; then
    await 300 is_connected "$domain" xvda || fail "the guest's disk is not connected"
    local front="/local/domain/$domain/device/vbd/$(number_of xvda)"
    [ "$(xenstore-read "$front/multi-queue-num-queues") $(xenstore-read "$front/ring-page-order")" = "2 2" ] || {
      xenstore-ls "$front"
      fail "not two rings of four pages"
    }
    say "two rings of four pages"
  fi
  succeeds "$guest"
  said "$guest"
  await 60 is_forgotten "$domain" xvda || fail "the guest's disk is still there"
  leave "$format" "$file" "$(sum_of "$guest")"
}

[ $# -gt 0 ] || set -- raw qcow qcow2 qcow2-backed vhd vhd-differencing vmdk
for format in "$@"; do
  say "== $format"
  use "$format"
  rm -f /tmp/disk.*
done
no_errors
say "all well"
