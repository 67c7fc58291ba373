#!/bin/sh
# embed-files.sh OUT SYMBOL FILE...: an assembler file that puts each FILE into the program, and between SYMBOL and SYMBOL_end a
# table of three pointers each: name (without its folder, NUL-terminated), begin, end.
set -eu
out=$1
symbol=$2
shift 2
{
  n=0
  printf '\t.section .rodata\n'
  for file in "$@"; do
    printf '%s_name_%d:\n\t.asciz "%s"\n' "$symbol" "$n" "$(basename "$file")"
    printf '%s_begin_%d:\n\t.incbin "%s"\n%s_stop_%d:\n\t.byte 0\n' "$symbol" "$n" "$(realpath "$file")" "$symbol" "$n"
    n=$((n + 1))
  done
  printf '\t.section .data.rel.ro,"aw"\n\t.balign 8\n\t.globl %s\n%s:\n' "$symbol" "$symbol"
  i=0
  while [ "$i" -lt "$n" ]; do
    printf '\t.quad %s_name_%d, %s_begin_%d, %s_stop_%d\n' "$symbol" "$i" "$symbol" "$i" "$symbol" "$i"
    i=$((i + 1))
  done
  printf '\t.globl %s_end\n%s_end:\n\t.section .note.GNU-stack,"",%%progbits\n' "$symbol" "$symbol"
} >"$out"
