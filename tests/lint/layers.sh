#!/bin/sh
# Includes and calls point one way, no daemon includes another, and no program links what it must not have.
#
#	tests/lint/layers.sh [DIRECTORY OF PROGRAMS]
cd "$(dirname "$0")/../.." || exit 1
bin=${1:-build/plain/bin}
status=0

# directory: what its files may include
check_includes() {
	directory=$1
	allowed=$(echo "$*" | tr ' ' '|')
	wrong=$(find "$directory" -name '*.[ch]' -exec grep -nE '^#include "[a-z]+/' /dev/null {} + | grep -vE "#include \"($allowed)/")
	[ -z "$wrong" ] && return 0
	echo "$wrong"
	echo "	$directory may include these alone: $*"
	status=1
}

check_includes common
check_includes proto common
check_includes db common
check_includes recipe common
check_includes state common
check_includes http state common
check_includes cli proto common
check_includes launcher proto common
check_includes authd db proto common
check_includes sessiond db proto common
check_includes botd http state recipe db proto common
check_includes streamd recipe state proto common

# streamd's files lie in rooms. What one may include of streamd stands in the head of one of its headers, "may include" and the
# names; no way leads round in a circle, so that they have floors, and what they share includes none of them.
shared='streamd.h settings.h audit.h handlers.h'
check_room() {
	room=$1
	allowed=$(cat "streamd/$room"/*.[ch] | sed -n 's/^ \* Room.*may include \(.*\)\.$/\1/p')
	if [ "$(echo "$allowed" | grep -c .)" != 1 ]; then
		echo "streamd/$room/ says in no header, or in more than one, what it may include (\" * Room: may include browser/ settings.h.\")"
		status=1
		return
	fi
	for name in $allowed; do
		case $name in
		*/) echo "$room ${name%/}" >> "$floors" ;;
		*) echo "$shared" | grep -qwF "$name" || { echo "streamd/$room/: $name is for none of the rooms"; status=1; } ;;
		esac
	done
	wrong=$(grep -n '^#include "streamd/' "streamd/$room"/*.[ch] |
		grep -vE "#include \"streamd/($room/|$(echo "$allowed" | sed 's/\./\\./g; s/ /|/g'))")
	[ -z "$wrong" ] && return 0
	echo "$wrong"
	echo "	streamd/$room/ may include of streamd these alone: $allowed"
	status=1
}

floors=$(mktemp)
for room in streamd/*/; do # a directory that an older tree has left behind, empty, is none
	ls "$room"*.[ch] > /dev/null 2>&1 || continue
	check_room "$(basename "$room")"
done
tsort "$floors" > /dev/null || { echo "	streamd's rooms may include each other in a circle"; status=1; }
rm -f "$floors"
for header in $shared; do
	grep -n '^#include "streamd/[a-z]*/' "streamd/$header" && { echo "	streamd/$header is shared by the rooms, and includes none"; status=1; }
done

for directory in */; do # whoever adds one says above what it may include
	ls "$directory"*.c > /dev/null 2>&1 || continue
	grep -q "^check_includes ${directory%/}\b" "$0" || { echo "$directory is not in $0"; status=1; }
done

must_not_link() { # PROGRAM LIBRARY WHY
	readelf -d "$bin/$1" | grep NEEDED | grep -q "\[$2" || return 0
	echo "$1 links $2: $3"
	status=1
}

must_not_call() { # PROGRAM PATTERN WHY
	found=$(nm -D -u "$bin/$1" | grep -wE "$2")
	[ -z "$found" ] && return 0
	echo "$1 calls$(echo "$found" | sed 's/ *U / /' | tr -d '\n'): $3"
	status=1
}

[ -x "$bin/streamd" ] || { echo "there is no $bin/streamd: build first"; exit 1; }
# Who calls whom, and takes whose tables, leads round in no circle of files.
objects=$(for source in */*.c streamd/*/*.c; do
	object=${bin%/bin}/${source%.c}.o
	[ -e "$object" ] && echo "$object"
done)
# shellcheck disable=SC2086 # no name here has a space
circles=$(nm -A -P -g $objects | awk '
	$3 ~ /^[TDBRCV]$/ && $2 != "main" { at[$2] = $1 }
	$3 == "U" { from[++n] = $1; name[n] = $2 }
	END { for (i = 1; i <= n; i++) if (name[i] in at && at[name[i]] != from[i]) print from[i], at[name[i]] }' |
	sort -u | tsort 2>&1 > /dev/null)
if [ -n "$circles" ]; then
	echo "$circles"
	echo '	These files call each other in a circle: part of one of them belongs below the others, or above.'
	status=1
fi

must_not_link streamd libpq 'it may not reach the database'
must_not_link stead-launcher libpq 'it may not reach the database'
must_not_link steadctl libpq 'it asks the daemons'
for program in streamd botd authd stead-launcher steadctl; do
	must_not_call $program '(EVP_(aes|chacha|Cipher|Encrypt|Decrypt|KDF|PKEY_derive)\w*)' 'only sessiond opens what the vault keeps'
done
must_not_call sessiond '(getaddrinfo|gethostbyname)' 'it dials its database alone'
exit $status
