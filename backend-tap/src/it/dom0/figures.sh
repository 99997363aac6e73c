#!/bin/bash
# How fast the front end of Dom0 is with our back end and with QEMU's, in one boot. The machine is emulated: only the ratios mean something.
. /payload/dom0/common.sh

size=128 # MiB of the disk
mib=64   # moved in sequence
device=/dev/xvda

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# spent: milliseconds of CPU time of the back end's process; the kernel counts in hundredths of a second
spent() { awk '{ print ($14 + $15) * 10 }' "/proc/$backend_pid/stat"; }

sequential_write() { dd if=/tmp/data of=$device bs=1M oflag=direct status=none; }
sequential_read() { dd if=$device of=/dev/null bs=1M count=$mib iflag=direct status=none; }

# readers NUMBER EACH: processes that read pages, each at its own place, one at a time
readers() {
  local n started=()
  for n in $(seq 0 $(($1 - 1))); do
    dd if=$device of=/dev/null bs=4k skip=$((n * 1024)) count="$2" iflag=direct status=none &
    started+=($!)
  done
  for n in "${started[@]}"; do
    wait "$n" || return 1
  done
}

# measure KIND WORK UNIT COMMAND...: twice, the first time for compilers and caches
measure() {
  local kind=$1 work=$2 unit=$3 began cpu
  shift 3
  "$@" || fail "$kind"
  began=$(milliseconds) cpu=$(spent)
  "$@" || fail "$kind"
  began=$(($(milliseconds) - began)) cpu=$(($(spent) - cpu))
  printf '| %s | %s | %s | %d %s | %d ms |\n' "$backend" "$format" "$kind" $((work * 1000 / began)) "$unit" $cpu >> /tmp/table
}

use() {
  make "$format" /tmp/disk.$format ${size}M
  attached $format /tmp/disk.$format xvda
  for n in 0 $mib; do
    dd if=/tmp/data of=$device bs=1M seek=$n oflag=direct status=none || fail "filling the disk"
  done
  measure "write, 1 MiB" $mib MiB/s sequential_write
  measure "read, 1 MiB" $mib MiB/s sequential_read
  measure "read, 4 KiB, depth 1" 1000 1/s readers 1 1000
  measure "read, 4 KiB, depth 32" 3200 1/s readers 32 100
  detached xvda
  rm /tmp/disk.*
}

head -c ${mib}M /dev/urandom > /tmp/data
for backend in vdisk qdisk; do
  xenstore-rm /local/domain/0/image
  serve 0
  for format in raw qcow2; do
    use
  done
  kill "$backend_pid"
  await 60 test ! -e "/proc/$backend_pid" || fail "the back end does not end"
  backend_pid=
done
echo "| back end | format | what | rate | CPU time |"
echo "|---|---|---|---|---|"
sort -t '|' -k 3,4 -s /tmp/table
no_errors
say "all well"
