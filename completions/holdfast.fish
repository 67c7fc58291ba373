# fish completion of holdfast, as `holdfast completion fish` prints it. completions/holdfast.bash says what the table is.

function __holdfast_table
	# TABLE
end

# What goes on from $argv[2] by the VALUE $argv[3], each behind $argv[1].
function __holdfast_value
	set -l choices (string split ' ' -- $argv[3])
	set -l front $argv[1]
	switch $choices[1]
		case file
			set choices - (__fish_complete_path "$argv[2]")
		case folder
			set choices - (__fish_complete_directories "$argv[2]" '')
		case some
			set front $front(string match -r '^.*,' -- $argv[2])
			test -n "$front"; or set front $argv[1]
	end
	for choice in $choices[2..]
		echo $front$choice
	end
end

function __holdfast_complete
	set -l words (commandline -opc)
	set -l cur (commandline -ct)
	set -l path ''
	set -l depth 1
	for word in $words[2..]
		__holdfast_table "$path" | string match -q -r -- '^w\t'(string escape --style=regex -- $word)'\t'
		or break
		set path (string trim -- "$path $word")
		set depth (math $depth + 1)
	end
	if contains -- -- $words
		__fish_complete_path "$cur"
		return
	end
	set -l rows (__holdfast_table "$path")
	for row in $rows
		set -l field (string split -m 3 \t -- $row)
		test $field[1] = o -a "$field[3]" != -
		or continue
		set -l value (string replace -r '^[?]' '' -- $field[3])
		if test "x$words[-1]" = "x$field[2]" -a "x$value" = "x$field[3]"
			__holdfast_value '' "$cur" $value
			return
		else if string match -q -- '--*' $field[2]; and string match -q -- $field[2]'=*' "$cur"
			__holdfast_value $field[2]= (string replace -r '^[^=]*=' '' -- "$cur") $value
			return
		end
	end
	for row in $rows
		set -l field (string split -m 3 \t -- $row)
		switch $field[1]
			case w
				test (count $words) -eq $depth; and echo $field[2]\t$field[4]
			case o
				string match -q -- '-*' "$cur"; or continue
				echo $field[2]\t$field[4]
				string match -q -- '\\?*' $field[3]; and echo $field[2]=\t$field[4]
			case a
				if string match -q -- '*:' $field[2]; and string match -q -- $field[2]'*' "$cur"
					__holdfast_value $field[2] (string replace -- $field[2] '' "$cur") $field[3]
					return
				end
				echo $field[2]\t$field[4]
			case f
				string match -q -- '-*' "$cur"; or __fish_complete_path "$cur"
		end
	end
end

complete -c holdfast -e
complete -c holdfast -f -a '(__holdfast_complete)'
