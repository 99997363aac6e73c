# Starts a benchmark. Read by the commands beside it, which set "self" (no link) and "main". POSIX sh.

name=${self##*/}
bench=$(cd "${self%/*}" && pwd -P)
root=${bench%/*}

fail() {
  echo "$name: $1" >&2
  exit 1
}

# Whether a source is younger than what was built: old code would be measured without a word.
is_stale() {
  [ -d "$root/tools/target/lib" ] && [ -d "$bench/target/lib" ] && [ -e "$bench/target/built" ] || return 0
  [ "$(find "$root" -name target -prune -o \( -path '*/src/main/*' -o -name pom.xml \) -newer "$bench/target/built" -print | head -n 1)" ]
}

if is_stale; then
  command -v mvn > /dev/null || fail "not built, and Maven, which builds it, is missing"
  echo "$name: building" >&2
  rm -rf "$bench/target/lib" # jars of older versions would stay
  started=$(mktemp)
  trap 'rm -f "$started"' EXIT
  # What Maven says belongs to standard error: standard output is the report's.
  (cd "$root" && exec mvn -q -B -Pquick -Dmaven.test.skip=true -pl tools,bench -am package) >&2 || fail "the build failed"
  mv "$started" "$bench/target/built"
  trap - EXIT
fi

. "$root/tools/bin/jvm.sh"
set -- "$main" "$@"
if [ "$major" -ge 24 ]; then
  set -- --sun-misc-unsafe-memory-access=allow "$@" # JMH uses it
fi
if [ "$major" -ge 22 ]; then
  set -- --enable-native-access=ALL-UNNAMED "$@" # host-linux uses it
fi
exec "$java" -XX:+UseSerialGC -Xmx256m -Dvdisk.root="$root" -cp "$bench/target/*:$bench/target/lib/*" "$@"
