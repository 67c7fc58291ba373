#compdef holdfast
# zsh completion of holdfast, as `holdfast completion zsh` prints it. completions/holdfast.bash says what the table is.

_holdfast_table() {
	# TABLE
}

# What goes on by the VALUE $1 (of the table).
_holdfast_value() {
	local -a choices
	case ${1%% *} in
	file) _files ;;
	folder) _files -/ ;;
	any) _message value ;;
	one | some)
		[[ $1 != some* ]] || compset -P '*,'
		choices=(${=1#* })
		_holdfast_offer value $choices
		;;
	esac
}

# Offers each NAME, or "NAME<tab>TEXT"; what ends in ':' or '=' goes on without a blank.
_holdfast_offer() {
	local tag=$1 entry name text
	local -a whole open
	shift
	for entry; do
		name=${entry%%$'\t'*} text=
		[[ $entry != *$'\t'* ]] || text=${entry#*$'\t'}
		[[ -z $text ]] || text=:$text
		if [[ $name == *[:=] ]]; then
			open+=("${name//:/\\:}$text")
		else
			whole+=("${name//:/\\:}$text")
		fi
	done
	((! $#whole)) || _describe -t $tag $tag whole -o nosort
	((! $#open)) || _describe -t $tag-open $tag open -S '' -o nosort
}

_holdfast() {
	local key='' row cur=${words[CURRENT]} prev=${words[CURRENT-1]} files= kind name value text
	local -a rows offered options names fields
	local -i depth=1
	while ((depth + 1 < CURRENT)); do
		names=(${(M)${(f)"$(_holdfast_table $key)"}:#w$'\t'${words[depth+1]}$'\t'*})
		((${#names})) || break
		key+=${key:+ }${words[depth+1]}
		depth+=1
	done
	if ((${words[(I)--]} && ${words[(I)--]} < CURRENT)); then
		_files
		return
	fi
	rows=(${(f)"$(_holdfast_table $key)"})
	for row in $rows; do
		fields=("${(@ps:\t:)row}")
		kind=$fields[1] name=$fields[2] value=$fields[3] text=$fields[4]
		if [[ $kind == o && $value != - ]]; then
			if [[ $prev == $name && $value != '?'* ]]; then
				_holdfast_value $value
				return
			elif [[ $name == --* && $cur == $name=* ]]; then
				compset -P '*='
				_holdfast_value ${value#'?'}
				return
			fi
		fi
		case $kind in
		w) ((depth + 1 != CURRENT)) || offered+=("$name"$'\t'"$text") ;;
		o)
			options+=("$name"$'\t'"$text")
			[[ $value != '?'* ]] || options+=("$name="$'\t'"$text")
			;;
		a)
			if [[ $name == *: && $cur == $name* ]]; then
				compset -P "$name"
				_holdfast_value $value
				return
			fi
			names=("$name"$'\t'"$text")
			offered+=($names)
			;;
		f) files=1 ;;
		esac
	done
	if [[ $cur == -* ]]; then
		_holdfast_offer option $options
		return
	fi
	((! $#offered)) || _holdfast_offer argument $offered
	[[ -z $files ]] || _files
}

# As a file of $fpath it is the function itself; where it was sourced it names itself.
if [[ $funcstack[1] == _holdfast ]]; then
	_holdfast "$@"
elif (($+functions[compdef])); then
	compdef _holdfast holdfast
fi
