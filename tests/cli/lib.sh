# shellcheck shell=sh
# What each CLI test begins with: `. "$HOLDFAST_ROOT/tests/cli/lib.sh"`. TAP on standard output.
#   fails STATUS TITLE COMMAND...   it exits with STATUS; what it prints is left in out.log and err.log
#   check TITLE COMMAND...     the command succeeds; it may read those two, and leaves them
#   skip TITLE REASON          counted, with the reason
#   finish                     the plan; exits
# Each test runs in a scratch folder, which is $PWD, with HOME, cache and state of its own and a fixed clock.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export HOME="$scratch/home" XDG_CONFIG_HOME="$scratch/config" XDG_CACHE_HOME="$scratch/cache" XDG_STATE_HOME="$scratch/state" LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1767225600
# Leak checking needs ptrace, which a jailed worker has not.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
mkdir -p "$HOME"
unset HOLDFAST_ADVISORIES
count=0
failures=0

point() { # ok|"not ok" title
  count=$((count + 1))
  echo "$1 $count - $2"
}

check() {
  title=$1
  shift
  if "$@" >check.log 2>&1; then
    point ok "$title"
  else
    failures=$((failures + 1))
    point "not ok" "$title"
    echo "# failed: $*"
    sed 's/^/# /' check.log | head -40
  fi
}

fails() {
  wanted=$1
  title=$2
  shift 2
  "$@" >out.log 2>err.log
  got=$?
  if [ "$got" = "$wanted" ]; then
    point ok "$title"
  else
    failures=$((failures + 1))
    point "not ok" "$title"
    echo "# $* gave $got instead of $wanted"
    sed 's/^/# /' out.log err.log | head -40
  fi
}

skip() {
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}

finish() {
  echo "1..$count"
  [ "$failures" = 0 ]
  exit
}
