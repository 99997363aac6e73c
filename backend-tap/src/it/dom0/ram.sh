#!/bin/bash
# Two guests have one disk in memory, and each sees what the other writes.
. /payload/dom0/common.sh

# Each writes a sector for the other, and reads until the other's is there; past the page cache, as the other changes the disk.
talk() {
  cat << RUN
#!/bin/sh
set -e
n=0
while ! [ -b /dev/xvda ] && [ \$n -lt 3000 ]; do
  sleep 0.1
  n=\$((n + 1))
done
say() {
  echo "\$2" > /word
  dd if=/word of=/dev/xvda bs=4096 seek=\$1 conv=sync 2> /dev/null
  sync
}
hear() {
  local n=0
  while [ \$n -lt 3000 ]; do
    dd if=/dev/xvda of=/heard bs=4096 skip=\$1 count=1 iflag=direct 2> /dev/null
    if grep -q "^\$2\$" /heard; then
      echo "domu: heard \$2"
      return 0
    fi
    sleep 0.1
    n=\$((n + 1))
  done
  return 1
}
$1
echo "domu: all well"
RUN
}
ended_well() {
  await 600 has_ended "$1" || fail "guest $1 does not end"
  grep -a '^domu: ' "/var/log/xen/console/guest-$1.log" | tr -d '\r' | sed "s/^/$1: /"
  grep -aq '^domu: all well' "/var/log/xen/console/guest-$1.log" || fail "guest $1 did not succeed"
}

talk 'say 8 question; hear 16 answer' > domu-run
archive_of domu-run
create one
talk 'hear 8 question; say 16 answer' > domu-run
archive_of domu-run
create two
serve "$(xl domid one)"
serve "$(xl domid two)"
xl unpause one
attach "$(xl domid one)" ram ram:32M:shared xvda
xl unpause two
attach "$(xl domid two)" ram ram:32M:shared xvda
ended_well one
ended_well two
no_errors
say "all well"
