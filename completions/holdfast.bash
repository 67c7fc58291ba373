# shellcheck shell=bash disable=SC2016
# bash completion of holdfast, as `holdfast completion bash` prints it.

# The table: what may stand behind the words $1, a line each: KIND, NAME, VALUE and what it does, with tabs between.
# KIND is w (a word), o (an option), a (an operand, or its prefix), f (any file may be an operand); VALUE is -, any, file, folder,
# "one a b c" or "some a b c" (with commas between), and "?" in front of it where only --NAME=VALUE is taken.
_holdfast_table() {
	# TABLE
}

# COMP_WORDS as they were typed, in $words: bash splits them at ':' and '=' too.
_holdfast_words() {
	local line=$COMP_LINE rest word i
	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		rest=${line#"${line%%[![:space:]]*}"}
		if ((i > 0)) && [[ $rest == "$line" && -n $line ]]; then
			words[${#words[@]} - 1]+=$word
		else
			words+=("$word")
		fi
		line=${rest#"$word"}
	done
}

# Adds NAME to $found where it goes on from $cur, with $said in listings.
_holdfast_add() {
	[[ $1 == "$cur"* ]] || return 0
	found+=("$1")
	texts+=("$2")
}

# Files or folders that go on from $2, each behind $1.
_holdfast_files() {
	local name names
	mapfile -t names < <(compgen "$3" -- "$2")
	for name in "${names[@]}"; do
		paths+=("$1$name")
	done
}

# What goes on from $2 by the VALUE $3, each behind $1.
_holdfast_value() {
	local kind=${3%% *} choice cur=$1$2 front=$1
	case $kind in
	file) _holdfast_files "$1" "$2" -f ;;
	folder) _holdfast_files "$1" "$2" -d ;;
	one | some)
		[[ $kind == some && $2 == *,* ]] && front=$1${2%,*},
		for choice in ${3#* }; do
			_holdfast_add "$front$choice" ''
		done
		;;
	esac
}

# The words behind the command that lead to a part of the table, in $path and their number in $depth.
_holdfast_path() {
	local word
	path='' depth=0
	for word in "${words[@]:1:${#words[@]}-2}"; do
		[[ $'\n'$(_holdfast_table "$path") == *$'\nw\t'"$word"$'\t'* ]] || break
		path+=${path:+ }$word
		depth=$((depth + 1))
	done
}

# Options with their values, and operands.
_holdfast_find() {
	local kind name value text prev=${words[${#words[@]} - 2]} files=
	local -a rows
	mapfile -t rows < <(_holdfast_table "$path")
	for row in "${rows[@]}"; do
		IFS=$'\t' read -r kind name value text <<<"$row"
		[[ $kind == o && $value != - ]] || continue
		if [[ $prev == "$name" && $value != '?'* ]]; then
			_holdfast_value '' "$cur" "$value"
			return
		elif [[ $name == --* && $cur == "$name="* ]]; then
			_holdfast_value "$name=" "${cur#*=}" "${value#'?'}"
			return
		fi
	done
	for row in "${rows[@]}"; do
		IFS=$'\t' read -r kind name value text <<<"$row"
		case $kind in
		w) [[ ${#words[@]} -eq $((depth + 2)) ]] && _holdfast_add "$name" "$text" ;;
		o)
			[[ $cur == -* ]] || continue
			[[ $value == '?'* ]] && _holdfast_add "$name=" "$text"
			_holdfast_add "$name" "$text"
			;;
		a)
			_holdfast_add "$name" "$text"
			[[ $name == *: && $cur == "$name"* ]] && _holdfast_value "$name" "${cur#"$name"}" "$value" && return
			;;
		f) files=1 ;;
		esac
	done
	[[ -z $files || $cur == -* ]] || _holdfast_files '' "$cur" -f
}

# What readline is to put in place of the last part of the word that it knows of: without what stands before.
_holdfast_reply() {
	local front='' i name listed='' breaks=''
	case $raw in
	\'* | \"*) ;;
	*)
		for i in : =; do
			[[ $COMP_WORDBREAKS != *"$i"* ]] || breaks+=$i
		done
		[[ -z $breaks || $cur != *["$breaks"]* ]] || front=${cur%"${cur##*["$breaks"]}"}
		;;
	esac
	case $COMP_TYPE in 33 | 63 | 64) listed=1 ;; esac
	((${#found[@]} + ${#paths[@]} > 1)) || listed=''
	COMPREPLY=()
	for i in "${!found[@]}"; do
		name=${found[i]#"$front"}
		[[ -n $listed && -n ${texts[i]} ]] && name+="  (${texts[i]})"
		COMPREPLY+=("$name")
	done
	if ((${#found[@]} == 0)); then
		((${#paths[@]} == 0)) || compopt -o filenames 2>/dev/null
		COMPREPLY=("${paths[@]#"$front"}")
		return
	fi
	for name in "${paths[@]}"; do
		[[ ! -d $name ]] || name+=/
		printf -v name %q "${name#"$front"}"
		COMPREPLY+=("$name")
	done
	[[ ${#COMPREPLY[@]} -gt 1 || ${COMPREPLY[0]} != *[:=/] ]] || compopt -o nospace 2>/dev/null
}

_holdfast() {
	local cur path depth row raw=${COMP_WORDS[COMP_CWORD]} COMP_TYPE=${COMP_TYPE:-9}
	local -a words found=() texts=() paths=()
	_holdfast_words
	cur=${words[${#words[@]} - 1]}
	cur=${cur#[\'\"]}
	_holdfast_path
	case " ${words[*]:0:${#words[@]}-1} " in
	*' -- '*) _holdfast_files '' "$cur" -f ;;
	*) _holdfast_find ;;
	esac
	_holdfast_reply
}

complete -F _holdfast holdfast
