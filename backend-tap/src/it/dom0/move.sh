#!/bin/bash
# A guest is saved to a file and restored while it writes, and then migrated while it writes (to the same host: xl asks no more of it). No write that
# was acknowledged is lost. Arguments: "apart" or not, formats.
. /payload/dom0/common.sh

blocks=160 # of 64 KiB
pause=0.3  # seconds between them

cat > domu-run << RUN
#!/bin/sh
block() { yes "block \$1" | head -c 65536 > /block; }
n=0
while ! [ -b /dev/xvda ] && [ \$n -lt 3000 ]; do
  sleep 0.1
  n=\$((n + 1))
done
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

has_written() { grep -aq "^domu: wrote $1\b" $console; }
written() { grep -ac '^domu: wrote' $console; }

# moved WHAT BEFORE: the guest is another domain now, and has not ended writing
moved() {
  local now
  now=$(xl domid guest) || fail "no guest after it was $1"
  [ "$now" != "$2" ] && [ "$(written)" -lt $blocks ] || fail "the guest was not $1 while it wrote"
  say "domain $2 is $1, and domain $now now; $(written) blocks are written"
}

use() {
  local file=/tmp/disk.$1 before
  console=/var/log/xen/console/guest-guest.log
  rm -f $console
  make "$1" "$file" 48M
  mapfile -t lines < <(with_disk "$1" "$file")
  create guest "${lines[@]}"
  xl unpause guest || fail "xl unpause"
  await 300 has_written 10 || fail "the guest does not write"
  before=$(xl domid guest)
  xl save guest /tmp/saved >> $log 2>&1 || fail "xl save"
  xl restore /tmp/saved >> $log 2>&1 || fail "xl restore"
  rm /tmp/saved
  moved "saved and restored" "$before"
  await 300 has_written $(($(written) + 5)) || fail "the restored guest does not write"
  before=$(xl domid guest)
  xl migrate -s '' guest 'xl migrate-receive' >> $log 2>&1 || fail "xl migrate"
  moved migrated "$before"
  await 600 has_ended guest || fail "the guest does not end"
  grep -aq '^domu: all well' $console || {
    tail -n 30 $console
    fail "the guest did not succeed"
  }
  say "all $(written) blocks are there"
  leave "$1" "$file" "$(sed -n 's/^domu: sum \([0-9a-f]*\).*/\1/p' $console)" none
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
