#!/bin/bash
# Two guests have one disk in memory, and each sees what the other writes.
. /payload/dom0/common.sh

# Each writes a sector for the other, and reads until the other's is there; past the page cache, as the other changes the disk.
talk() {
  cat << RUN
#!/bin/sh
set -e
$guest_words
await_disk
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
for guest in one two; do
  succeeds $guest
  said "$guest" | sed "s/^/$guest: /"
done
no_errors
say "all well"
