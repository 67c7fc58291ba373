# shellcheck shell=sh
# holdfast completion: what real shells make of its scripts, and that these say what the program takes.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"
export PYTHONDONTWRITEBYTECODE=1
for shell in bash zsh fish; do
  fails 0 "a script for $shell" "$HOLDFAST" completion $shell
  check "without a word on standard error" test ! -s err.log
  cp out.log completion.$shell
  "$HOLDFAST" completion $shell >again
  check "the same each time" cmp completion.$shell again
done
fails 2 "no script without a shell's name" "$HOLDFAST" completion
fails 2 "nor for another shell" "$HOLDFAST" completion csh
check "which is told" grep -q "there are bash, zsh and fish, no 'csh'" err.log
if command -v shellcheck >/dev/null; then
  check "shellcheck finds nothing in bash's" shellcheck completion.bash
else
  skip "shellcheck finds nothing in bash's" "no shellcheck here"
fi

touch image.tar 'two words.tar'
mkdir folder other
cat >typed <<'END'
holdfast kube rb -> [kube][rbac]
holdfast kube rbac who -> [kube][rbac][who-can]
holdfast plumb -> [plumbing]
holdfast scan --form -> [scan][--format]
holdfast scan --format cyc -> [scan][--format][cyclonedx]
holdfast scan --format=cyc -> [scan][--format=cyclonedx]
holdfast scan -f sar -> [scan][-f][sarif]
holdfast scan --severity high,med -> [scan][--severity][high,medium]
holdfast scan arch -> [scan][archive:]
holdfast scan archive:im -> [scan][archive:image.tar]
holdfast scan im -> [scan][image.tar]
holdfast scan two -> [scan][two words.tar]
holdfast scan archive:two -> [scan][archive:two words.tar]
holdfast kube pss base -> [kube][pss][baseline]
holdfast kube check clus -> [kube][check][cluster:]
holdfast kube check cluster: --fail-on cri -> [kube][check][cluster:][--fail-on][critical]
holdfast kube pss baseline --from-labels=war -> [kube][pss][baseline][--from-labels=warn]
holdfast kube admission serve --tls-k -> [kube][admission][serve][--tls-key]
holdfast kube policy test --pol -> [kube][policy][test][--pol]
holdfast runtime watch --output web -> [runtime][watch][--output][webhook=]
holdfast runtime seed archive:image.tar -- im -> [runtime][seed][archive:image.tar][--][image.tar]
holdfast nonsense --form -> [nonsense][--form]
END
sed 's/ -> .*//' typed >lines
for shell in bash zsh fish; do
  if ! command -v $shell >/dev/null; then
    skip "$shell completes what is typed" "no $shell here"
    continue
  fi
  check "$shell reads its script without a complaint" $shell -n completion.$shell
  python3 "$HOLDFAST_ROOT/tests/lib/type_at_shell.py" $shell completion.$shell <lines >answers 2>&1
  check "$shell completes what is typed" diff typed answers
  echo "holdfast db build --from fol" >line
  python3 "$HOLDFAST_ROOT/tests/lib/type_at_shell.py" $shell completion.$shell <line >answer 2>&1
  check "$shell completes a folder, with or without a slash behind it" grep -q 'from\]\[folder/*\]$' answer
done

# All that bash would offer: $1 is COMP_TYPE, then the words. No package of completions is there, the protocol alone.
cat >offers.bash <<'END'
source ./completion.bash
COMP_TYPE=$1
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$*
_holdfast
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
END
offers() { bash offers.bash "$@" | LC_ALL=C sort >offered; }

"$HOLDFAST" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | LC_ALL=C sort >wanted
offers 9 holdfast ''
check "every command of --help is offered" cmp wanted offered
for family in runtime kube; do
  "$HOLDFAST" $family --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | LC_ALL=C sort >wanted
  offers 9 holdfast $family ''
  check "every subcommand of $family --help is offered" cmp wanted offered
done
offers 63 holdfast kube rbac who-can --with
check "one that is found is put in without its description" test "$(cat offered)" = --with-defaults
offers 63 holdfast scan --on
check "and so is this" test "$(cat offered)" = --only-fixed
offers 63 holdfast db status --d
offers 63 holdfast scan --o
check "a listing says what each option does" grep -q '^--only-fixed  (show only what has a fix)$' offered
offers 9 holdfast scan archive : im
check "with blanks about it a colon is a word, and a file is offered behind it" test "$(cat offered)" = image.tar
cat >split.bash <<'END'
source ./completion.bash
COMP_WORDS=(holdfast scan archive : im) COMP_CWORD=4 COMP_LINE='holdfast scan archive:im' COMP_TYPE=9
_holdfast
printf '%s\n' "${COMPREPLY[@]}"
COMP_WORDBREAKS=$' \t\n' COMP_WORDS=(holdfast scan archive:im) COMP_CWORD=2
_holdfast
printf '%s\n' "${COMPREPLY[@]}"
COMP_WORDBREAKS=$' \t\n:=' COMP_WORDS=(holdfast scan "'archive:im") COMP_LINE="holdfast scan 'archive:im"
_holdfast
printf '%s\n' "${COMPREPLY[@]}"
END
bash split.bash >offered
check "behind a colon: what follows it, or the whole where bash does not split there or in quotes" \
  test "$(tr '\n' ' ' <offered)" = 'image.tar archive:image.tar archive:image.tar '
for command in scan sbom layers; do
  "$HOLDFAST" $command --format none dir:. 2>&1 | sed 's/.*: //; s/, /\n/g' | LC_ALL=C sort >wanted
  offers 9 holdfast $command --format ''
  check "the formats of $command are those that it has" cmp wanted offered
done

# The table against the program: no option is unknown to it, and no fixed value is.
cat >rows.bash <<'END'
source ./completion.bash
walk() {
  local kind name value choice
  while IFS=$'\t' read -r kind name value _; do
    case $kind$value in
    w*) walk "$1${1:+ }$name" ;;
    o-) printf '%s\t%s\n' "$1" "$name" ;;
    o'?one'*) for choice in ${value#* }; do printf '%s\t%s=%s\n' "$1" "$name" "$choice"; done ;;
    oone* | osome*) for choice in ${value#* }; do printf '%s\t%s %s\n' "$1" "$name" "${choice/%=/=http://127.0.0.1/}"; done ;;
    o*) printf '%s\t%s 1\n' "$1" "$name" ;;
    esac
  done < <(_holdfast_table "$1")
}
walk ''
END
bash rows.bash | grep -v -e --help -e --version >rows
: >unknown
while IFS='	' read -r path option; do
  name=${option%%[ =]*}
  # shellcheck disable=SC2086
  timeout 120 "$HOLDFAST" $path $option --nonsense </dev/null >out.log 2>err.log
  case $(grep -v -m 1 ' took [0-9.]* s$' err.log) in # with --verbose
    *"option '$name"* | *"'$name"*"is not an option"* | *"no option $name"* | *"no option \"$name"*) echo "$path $option: unknown" >>unknown ;;
    *nonsense*) ;;
    *) case "$path $option" in
      *" 1" | "runtime probe "* | "runtime profile "*--fail-on* | "kube reach --explain"*) ;; # a value that is none, or not of this word
      *) echo "$path $option: $(head -n 1 err.log)" >>unknown ;;
    esac ;;
  esac
done <rows
check "the table has the options of many commands" test "$(wc -l <rows)" -gt 400
check "the program knows every option and takes every value that is offered" diff /dev/null unknown
finish
