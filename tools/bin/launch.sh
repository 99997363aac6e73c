# Starts a tool. Read by the launchers beside it, which set "self" (no link), "main", "short" (one compiler is enough) and "native" (it moves data, so that
# system calls pay: to link the first one costs more than all that a short command does). POSIX sh, and few processes: each costs time.

name=${self##*/}
tools=$(cd "${self%/*}/.." && pwd -P)
target=$tools/target

fail() {
  echo "$name: $1" >&2
  exit 1
}

if ! [ -d "$target/lib" ]; then
  command -v mvn > /dev/null || fail "not built yet, and Maven, which builds it, is missing"
  echo "$name: not built yet; building, this once" >&2
  # What Maven says belongs to standard error: standard output is the tool's.
  (cd "$tools/.." && exec mvn -q -B -Pquick -Dmaven.test.skip=true -pl tools -am package) >&2 || fail "the build failed"
fi

. "$tools/bin/jvm.sh"

[ "$major" -ge 22 ] || native=

jars=
for jar in "$target"/tools-*.jar "$target"/lib/*.jar; do
  case $jar in
    "$target"/lib/host-linux-*) [ "$native" ] || continue ;;
  esac
  jars=$jars${jars:+:}$jar
done

# What a JVM has loaded and linked by the end of a rehearsal is stored in an archive, once after each build, and mapped at each start. It is of no
# use to a JVM with other options for modules.
archive=$target/launch${native:+-native}-$version
if [ "$major" -ge 25 ]; then
  archive=$archive.aot
  # Without machine code: it is for the processor that it was made on, no JVM asks where it is now, and on another one the JVM dies of SIGILL.
  portable="-XX:+UnlockDiagnosticVMOptions -XX:+IgnoreUnrecognizedVMOptions -XX:-AOTAdapterCaching -XX:-AOTStubCaching"
  record=-XX:AOTCacheOutput=
  use=-XX:AOTCache=
else
  archive=$archive.jsa
  portable=
  record=-XX:ArchiveClassesAtExit=
  use=-XX:SharedArchiveFile=
fi
stale=
[ -e "$archive" ] || stale=yes
for jar in "$target"/tools-*.jar "$target"/lib/*.jar; do
  if [ "$jar" -nt "$archive" ]; then
    stale=yes
  fi
done
if [ "$stale" ] && [ -w "$target" ] && folder=$(mktemp -d "$target/launch.XXXXXX"); then
  mkdir "$folder/stage"
  # shellcheck disable=SC2086
  "$java" ${native:+--enable-native-access=ALL-UNNAMED} $portable -XX:+UseSerialGC -XX:-UsePerfData "$record$folder/archive" \
    -cp "$jars" io.vdisk.tools.Rehearsal "$folder/stage" \
    > "$folder/log" 2>&1 < /dev/null
  # Where there is none, an empty one says so: it is not tried again before the next build.
  [ -s "$folder/archive" ] || : > "$folder/archive"
  mv -f "$folder/archive" "$archive" && stale=
  rm -rf "$folder"
fi

set -- ${native:+--enable-native-access=ALL-UNNAMED} -cp "$jars" "$main" "$@"
if [ -z "$stale" ] && [ -s "$archive" ]; then
  set -- "$use$archive" "$@"
fi
if [ "$short" ]; then
  # The second compiler never pays for itself in so short a life, nor where a tool waits for the host's copying or for zlib most of the time.
  # To compile later saves a tenth of the CPU time of all but long work, which is the same.
  set -- -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=4 "$@"
elif [ "$major" -ge 22 ]; then
  # The second compiler of JDK 25.0.3 lost values where short-lived objects meet in a branch: entries of a table were wrong. Our code has that
  # shape no longer, and a tool takes no chances.
  set -- -XX:+IgnoreUnrecognizedVMOptions -XX:+UnlockDiagnosticVMOptions -XX:-ReduceAllocationMerges "$@"
fi
if [ -t 2 ]; then
  set -- -Dvdisk.terminal=true "$@"
fi
# Little of what a tool makes lives long: a small heap, which grows where it must, keeps the process below 100 MiB. The JVM's own choice is a share
# of the machine, and is filled before the first collection.
case ${VDISK_JAVA_OPTS-} in
  *-Xm*) ;;
  *) set -- -Xms24m -Xmn12m "$@" ;;
esac
# One thread for garbage and no file for profilers start faster. Without the log, as a JVM warns there of an archive that is not its own.
# VDISK_JAVA_OPTS holds further options, divided by spaces.
set -f
exec "$java" -XX:+UseSerialGC -XX:-UsePerfData -Xlog:disable ${VDISK_JAVA_OPTS-} "$@"
