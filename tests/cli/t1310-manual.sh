# shellcheck shell=sh
# The manual: every option and subcommand of a usage text stands in the command's page, and the pages tell of none that is not there.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

words() { # what `holdfast WORD... --help` lists
  "$HOLDFAST" "$@" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

cat >options.py <<'END'
"""options.py FILE: its long options, one a line, of a usage text as of a page of the manual"""
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
# Macros of one letter put blanks between their words, those of two letters none.
text = re.sub(r"^\.(B|I|BI|BR|IB|IR|RB|RI) (.*)$",
              lambda macro: ("" if macro[1][1:] else " ").join(a + b for a, b in re.findall(r'"([^"]*)"|(\S+)', macro[2])), text, flags=re.M)
text = re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-")
print("\n".join(sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)))))
END

for command in $(words); do
  page=$HOLDFAST_ROOT/man/holdfast-$command.1
  case $command in
  kube | runtime) subcommands=$(words "$command") ;;
  *) subcommands= ;;
  esac
  "$HOLDFAST" "$command" --help >usage.log
  for subcommand in $subcommands; do
    check "holdfast-$command(1) has $subcommand" grep -qw -- "$subcommand" "$page"
    "$HOLDFAST" "$command" "$subcommand" --help >>usage.log
  done
  python3 options.py usage.log >usage.txt
  python3 options.py "$page" >page.txt
  check "holdfast $command has options" test -s usage.txt
  comm -23 usage.txt page.txt | grep -vx -e --help -e --quiet -e --verbose -e --log-format >missing.txt
  check "holdfast-$command(1) has all of them" diff /dev/null missing.txt
  comm -13 usage.txt page.txt | grep -vx -e --help >stale.txt
  check "and no others" diff /dev/null stale.txt
  check "holdfast(1) names holdfast-$command(1)" grep -q "holdfast-$command (1)\|holdfast-$command \|holdfast-$command\$" "$HOLDFAST_ROOT/man/holdfast.1"
done
for option in --quiet --verbose --log-format; do
  python3 options.py "$HOLDFAST_ROOT/man/holdfast.1" >page.txt
  check "holdfast(1) has $option, which is every command's" grep -qx -- "$option" page.txt
done
if command -v groff >/dev/null; then
  for page in "$HOLDFAST_ROOT"/man/*.1; do
    groff -man -Tutf8 -ww "$page" >/dev/null 2>warnings.txt
    check "groff warns of nothing in ${page##*/}" diff /dev/null warnings.txt
  done
else
  skip "groff warns of nothing in the pages" "no groff here"
fi
finish
