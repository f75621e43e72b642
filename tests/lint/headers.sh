#!/bin/sh
# Every header compiles alone.
cd "$(dirname "$0")/../.." || exit 1
headers=$(printf '%s\n' */*.h streamd/*/*.h)
for h in $headers; do
	case $h in
	*/settings_expand.h | */expand.h) continue ;; # read by a .def's header, with macros set; no header of their own
	esac
	grep -q -e '^#pragma once' -e '^#ifndef' "$h" || { echo "$h can be read twice by mistake: begin it with #pragma once"; exit 1; }
done
echo "$headers" | grep -v -e '/settings_expand\.h$' -e '/expand\.h$' | xargs -P 2 -I {} sh -c '
	printf "#include \"%s\"\n" {} | gcc -std=gnu2x -D_GNU_SOURCE -I. -I/usr/include/postgresql -Wall -Wextra -Werror \
		-fsyntax-only -x c - 2>&1 | sed "s|^|{}: |" | grep -v "^$" && exit 255
	exit 0'
