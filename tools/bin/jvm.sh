# Finds the newest JVM, or takes the one that VDISK_JAVA_HOME names: sets "java", "version" and "major". Read by launchers, which say what
# "fail" does.

# Each JVM has a file "release" with a line such as JAVA_VERSION="17.0.15".
java=
major=16
look() {
  [ -r "$1/release" ] && [ -x "$1/bin/java" ] || return 0
  while IFS='=' read -r key value; do
    if [ "$key" = JAVA_VERSION ]; then
      value=${value#\"}
      value=${value%\"}
      if [ "${value%%[!0-9]*}" -gt "$major" ]; then
        java=$1/bin/java
        version=$value
        major=${value%%[!0-9]*}
      fi
      return 0
    fi
  done < "$1/release"
}
if [ "${VDISK_JAVA_HOME-}" ]; then
  look "$VDISK_JAVA_HOME"
  [ "$java" ] || fail "VDISK_JAVA_HOME names no Java 17 or newer"
else
  for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    look "$home"
  done
  found=$(command -v java)
  if [ -h "$found" ]; then
    found=$(readlink -f "$found")
  fi
  look "${found%/bin/java}"
fi
[ "$java" ] || fail "no Java 17 or newer is found; JAVA_HOME may name one"
