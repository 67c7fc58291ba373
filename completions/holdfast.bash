# bash completion of holdfast
_holdfast() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='scan sbom layers db runtime plumbing'
	else
		case $prev in
		-f | --format) words='table json sarif cyclonedx spdx' ;;
		--severity) words='critical high medium low unknown' ;;
		--fail-on) words='low medium high critical kev epss>=0.5 fixable:high secret config:high' ;;
		db) words='build status search' ;;
		runtime) words='probe watch learn profile seed rules flows harden enforce status top why' ;;
		plumbing) words='compare match purl' ;;
		*) case $cur in -*) words='--format --severity --only-fixed --fail-on --platform --db --strict --verbose --quiet --help -o --record --replay --output --profiles --rules --exceptions --state --for --deep --host --docker-socket --ring-bytes --cgroups' ;; esac ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _holdfast holdfast
