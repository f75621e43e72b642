#!/bin/sh
# A second reading by clang-tidy. Beside what it is told to look for it gives clang's own warnings. Left out, and why:
#
#	bugprone-easily-swappable-parameters, -narrowing-conversions	a matter of taste; gcc's -Wextra has the rest
#	bugprone-macro-parentheses	proto/expand.h and its kind paste whole declarations
#	bugprone-reserved-identifier	_GNU_SOURCE
#	bugprone-assignment-in-if-condition, -branch-clone, -suspicious-include, -unhandled-self-assignment	style
#	bugprone-sizeof-expression, -suspicious-string-compare, -suspicious-missing-comma, -suspicious-semicolon, -not-null-terminated-result
#		false alarms on DB_ARGS(), strcmp(), flags of two lines and bytes that are no text
#	clang-analyzer-*	does not understand CLEANUP(): reports leaks where there are none, and takes three minutes
#	-multi-level-implicit-pointer-conversion, -signed-char-misuse	bytes are read as bytes here
#
#	tests/lint/tidy.sh [FILE]...
cd "$(dirname "$0")/../.." || exit 1
checks='-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions'
checks="$checks,-bugprone-macro-parentheses,-bugprone-reserved-identifier,-bugprone-assignment-in-if-condition"
checks="$checks,-bugprone-branch-clone,-bugprone-suspicious-include,-bugprone-sizeof-expression"
checks="$checks,-bugprone-suspicious-string-compare,-bugprone-signed-char-misuse,-bugprone-implicit-widening-of-multiplication-result"
checks="$checks,-bugprone-not-null-terminated-result,-bugprone-suspicious-missing-comma,-bugprone-suspicious-semicolon,cert-fio38-c,misc-static-assert,misc-unused-parameters"
[ $# -gt 0 ] || set -- ./*/*.c ./streamd/*/*.c
export checks
printf '%s\n' "$@" | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "--checks=$checks" --warnings-as-errors="*" "$@" -- \
	-std=gnu2x -D_GNU_SOURCE -I. -I/usr/include/postgresql -Wall -Wextra -Wno-gnu-variable-sized-type-not-at-end \
	2> /dev/null' tidy
