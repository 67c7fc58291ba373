# shellcheck shell=sh
# What is said of a command line that cannot be done, and the options that users of other scanners guess.
# shellcheck source=tests/cli/lib.sh
. "$HOLDFAST_ROOT/tests/cli/lib.sh"

says() { # title, the whole first line on standard error; then the command, which exits with 2
  title=$1
  line=$2
  shift 2
  "$@" >out.log 2>err.log
  got=$?
  first=$(head -n 1 err.log)
  check "$title" test "$got: $first: $(wc -c <out.log)" = "2: $line: 0"
}

says "a file that is not there is named once" "holdfast: archive:no.tar: No such file or directory" "$HOLDFAST" scan archive:no.tar
says "so is a folder" "holdfast: dir:no: No such file or directory" "$HOLDFAST" scan dir:no
says "a reference without an engine: what to give instead" \
  "holdfast: nginx:1: no such file or folder, and images are not fetched: give archive:FILE, oci:DIR, dir:PATH or host:" "$HOLDFAST" scan nginx:1
says "an option of Trivy's: what it is here" "holdfast: scan: there is no option '--ignore-unfixed'; here that is --only-fixed" \
  "$HOLDFAST" scan --ignore-unfixed dir:.
says "any other" "holdfast: scan: there is no option '--nonsense'" "$HOLDFAST" scan --nonsense dir:.
says "one that is misspelt: the nearest" "holdfast: kube pss: there is no option '--explian'; the nearest is --explain" "$HOLDFAST" kube pss --explian
says "of every command too" "holdfast: db: there is no option '--log-fromat'; the nearest is --log-format" "$HOLDFAST" db status --log-fromat
says "a command too" "holdfast: 'scna' is not a command; the nearest is scan" "$HOLDFAST" scna
says "and a subcommand" "holdfast: kube: 'rbca' is not a subcommand; the nearest is rbac" "$HOLDFAST" kube rbca

"$HOLDFAST" plumbing compare Android 1 2 2>err.log
check "an ecosystem without an order: for which there is one" grep -q "no order of versions is known for 'Android', .* deb, apk, rpm, pypi" err.log

mkdir -p root/node_modules/foo
echo '{"name":"foo","version":"1.0.0"}' >root/node_modules/foo/package.json
"$HOLDFAST" scan --format json root >long.json 2>err.log
"$HOLDFAST" scan -f json root >short.json 2>err.log
check "-f is --format, and a folder needs no prefix" cmp long.json short.json

mkdir jar
python3 -c 'import zipfile; zipfile.ZipFile("jar/thing-4.11.jar", "w").writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")'
"$HOLDFAST" sbom -f json jar >jar.json 2>err.log
check "a jar without a group has its artifact's name" grep -q '"name": "thing"' jar.json

"$HOLDFAST" db search XX-1 >search.out 2>search.err
fails 0 "a search that finds nothing is done" "$HOLDFAST" db search XX-1
check "and says that it found nothing" grep -q "nothing is known of XX-1" search.err
"$HOLDFAST" scan --fail-on secret --format json root >secret.json 2>err.log
check "a gate that cannot fail is warned about" grep -q "does not look for secrets, so this gate cannot fail" err.log
finish
