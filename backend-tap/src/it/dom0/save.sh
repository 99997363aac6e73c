#!/bin/bash
# A guest is saved to a file while it writes: once it goes on as it is, and once it is restored from the file. No write that was acknowledged is lost.
# A guest that migrates does the same with a pipe for the file; but the emulated Xen does not tell which pages a guest changes, and xl migrates none.
# Arguments: "apart" or not, formats.
. /payload/dom0/common.sh

blocks=160 # of 64 KiB
pause=0.3  # seconds between them

cat > domu-run << RUN
#!/bin/sh
$guest_words
block() { yes "block \$1" | head -c 65536 > /block; }
await_disk
n=0
while [ \$n -lt $blocks ]; do
  block \$n
  dd if=/block of=/dev/xvda bs=64k seek=\$n oflag=direct conv=notrunc 2> /dev/null || exit 1
  echo "domu: wrote \$n"
  n=\$((n + 1))
  sleep $pause
done
n=0
while [ \$n -lt $blocks ]; do
  block \$n
  dd if=/dev/xvda of=/back bs=64k skip=\$n count=1 iflag=direct 2> /dev/null || exit 1
  cmp /block /back || exit 1
  n=\$((n + 1))
done
echo "domu: sum \$(dd if=/dev/xvda bs=1M iflag=direct 2> /dev/null | md5sum | cut -d' ' -f1)"
echo "domu: all well"
RUN
archive_of domu-run

written() { said guest | grep -c '^domu: wrote'; }

# goes_on: the guest has not ended writing, and writes
goes_on() {
  local before
  before=$(written)
  [ "$before" -lt $((blocks - 5)) ] || fail "the guest was not saved while it wrote"
  await 300 has_said guest "wrote $((before + 4))" || fail "the guest does not write"
  say "domain $(xl domid guest) goes on; $(written) blocks are written"
}

use() {
  local file=/tmp/disk.$1 before
  rm -f "$(console_of guest)"
  make "$1" "$file" 48M
  mapfile -t lines < <(with_disk "$1" "$file")
  create guest "${lines[@]}"
  xl unpause guest || fail "xl unpause"
  await 300 has_said guest "wrote 10" || fail "the guest does not write"
  before=$(xl domid guest)
  xl save -c guest /tmp/saved >> $log 2>&1 || fail "xl save -c"
  rm /tmp/saved
  goes_on
  xl save guest /tmp/saved >> $log 2>&1 || fail "xl save"
  xl restore /tmp/saved >> $log 2>&1 || fail "xl restore"
  rm /tmp/saved
  [ "$(xl domid guest)" != "$before" ] || fail "the restored guest is the same domain"
  goes_on
  succeeds guest
  say "all $(written) blocks are there"
  leave "$1" "$file" "$(sum_of guest)" none
}

serve 0
[ $# -gt 0 ] || set -- qcow2 vhd
for format in "$@"; do
  say "== $format"
  use "$format"
  rm -f /tmp/disk.*
done
no_errors
say "all well"
