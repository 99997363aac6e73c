# Starts a process that serves, in the background unless -D says otherwise, or a command among "clients". Read by launchers, as launch.sh, which it
# goes on to.

foreground=
for word in "$@"; do
  case $word in
    --help | --version) foreground=yes ;;
    --*) ;;
    -*[Dh]*) foreground=yes ;;
    *) case " ${clients-} " in *" $word "*) foreground=yes ;; esac ;;
  esac
done

if [ -z "$foreground" ] && [ -z "${VDISK_LAUNCHER_WAITS-}" ]; then
  self=$(cd "${self%/*}" && pwd -P)/${self##*/}
  session=$(command -v setsid)
  # The answer ends when the process lets go of its standard output: once it is ready, or with its end.
  answer=$(VDISK_LAUNCHER_WAITS=yes ${session:+"$session"} "$self" "$@" < /dev/null &)
  case $answer in
    "0 "*)
      line=${answer#0 }
      [ -z "$line" ] || printf '%s\n' "$line"
      exit 0
      ;;
    "" | *[!0-9]*) exit 1 ;;
    *) exit "$answer" ;;
  esac
fi

. "${self%/*}/launch.sh"
