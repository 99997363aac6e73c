#!/bin/bash
# The back end is killed under load, and started again: the front end goes on, and no write that was acknowledged is lost. Arguments: "apart" or not, formats.
. /payload/dom0/common.sh

writers=4
blocks=25 # of 64 KiB, for each writer
block() { yes "block $1" | head -c 65536; }

# writer NUMBER: writes its blocks one after the other, and says of each when it is acknowledged. None is flushed.
writer() {
  local n
  for n in $(seq $(($1 * blocks)) $(($1 * blocks + blocks - 1))); do
    block "$n" | dd of=/dev/$device bs=64k seek="$n" iflag=fullblock oflag=direct conv=notrunc status=none || return 1
    echo "$n" >> /tmp/acknowledged
  done
}
acknowledged() { [ "$(wc -l < /tmp/acknowledged)" -ge "$1" ]; }
are_whole() {
  local n
  for n in $(cat /tmp/acknowledged); do
    block "$n" > /tmp/block
    dd if=/dev/$device of=/tmp/back bs=64k skip="$n" count=1 iflag=direct status=none || fail "reading block $n"
    cmp -s /tmp/block /tmp/back || fail "block $n was acknowledged and is lost"
  done
}

use() {
  local file=/tmp/disk.$1 n processes=()
  make "$1" "$file" 64M
  attached "$1" "$file" $device
  mke2fs -q -F -t ext4 -E offset=$((32 << 20)) /dev/$device 16M || fail mke2fs
  : > /tmp/acknowledged
  for n in $(seq 0 $((writers - 1))); do
    writer "$n" &
    processes+=($!)
  done
  for n in 15 50; do
    await 300 acknowledged $n || fail "no more than $(wc -l < /tmp/acknowledged) writes are acknowledged"
    if [ "$together" ] || [ $n = 50 ]; then
      kill_backend
      serve 0
    else
      kill -KILL "$(process_of $device)" # and blktapd starts another
    fi
    say "killed after $(wc -l < /tmp/acknowledged) acknowledged writes"
  done
  for n in "${processes[@]}"; do
    wait "$n" || fail "a writer failed"
  done
  say "all $(wc -l < /tmp/acknowledged) writes are acknowledged"
  kill_backend
  serve 0
  are_whole
  say "none is lost"
  local sum
  sum=$(dd if=/dev/$device bs=1M iflag=direct status=none | md5sum)
  detached $device
  leave "$1" "$file" "${sum%% *}" $((32 << 20))
}

serve 0
[ $# -gt 0 ] || set -- qcow2 vhd raw
letters=abcdefgh
for format in "$@"; do
  say "== $format"
  device=xvd${letters:0:1}
  letters=${letters:1}
  use "$format"
  rm -f /tmp/disk.*
done
no_errors
say "all well"
