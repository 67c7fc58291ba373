#!/bin/sh
# run.sh PROGRAM: a cmocka program, whose skipped tests ("not ok N # SKIP name") are written as TAP has them, with the last
# comment before them as the reason. Its exit status is kept.
exec 3>&1
status=$({ { "$@"; echo $? >&4; } | sed '/^# /h
/^not ok [0-9]* # SKIP /{
G
s/^not ok \([0-9]*\) # SKIP \(.*\)\n# *\(.*\)$/ok \1 - \2 # SKIP \3/
s/^not ok \([0-9]*\) # SKIP \(.*\)\n.*$/ok \1 - \2 # SKIP no reason given/
}' >&3; } 4>&1)
exit "$status"
