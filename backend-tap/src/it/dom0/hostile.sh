#!/bin/bash
# A front end that means ill has disks of the same back end as the front end of Dom0, which goes on being served.
. /payload/dom0/common.sh

serve 0
head -c 2M /dev/urandom > /tmp/honest.raw
attached raw /tmp/honest.raw xvda
head -c 4M /dev/urandom > /tmp/hostile.raw
served=$(process_of xvda)
: > /tmp/rounds

# Reads the honest disk again and again, and tells each time that it was right.
go_round() {
  while ! [ -e /tmp/enough ]; do
    dd if=/dev/xvda of=/tmp/back bs=64k iflag=direct status=none && cmp -s /tmp/honest.raw /tmp/back || return 1
    echo >> /tmp/rounds
    sleep 0.5 # the machine has one processor
  done
}
go_round &
rounds=$!
/payload/jre/bin/java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData --enable-native-access=ALL-UNNAMED \
  -cp "/payload/hostile:/payload/tools/target/lib/*" HostileFrontend raw:/tmp/hostile.raw /tmp/rounds || fail "the back end did not withstand"
touch /tmp/enough
wait $rounds || fail "the honest disk had errors"
say "the honest disk was read $(wc -l < /tmp/rounds) times meanwhile"
[ "$served" ] && [ "$served" = "$(process_of xvda)" ] || fail "the back end's process is another one"
detached xvda
no_errors
say "all well"
