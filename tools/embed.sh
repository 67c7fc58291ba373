#!/bin/sh
# embed.sh OUT FILE SYMBOL: an assembler file that puts FILE into the program between SYMBOL_begin and SYMBOL_end.
set -eu
file=$(realpath "$2")
cat > "$1" <<END
	.section .rodata
	.balign 4096
	.globl ${3}_begin
${3}_begin:
	.incbin "$file"
	.globl ${3}_end
${3}_end:
	.byte 0
	.section .note.GNU-stack,"",%progbits
END
