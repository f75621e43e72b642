#!/bin/sh
# Includes point one way, no daemon includes another, and no program links what it must not have.
#
#	tests/lint/layers.sh [DIRECTORY OF PROGRAMS]
cd "$(dirname "$0")/../.." || exit 1
bin=${1:-build/plain/bin}
status=0

# directory: what its files may include
check_includes() {
	directory=$1
	allowed=$(echo "$*" | tr ' ' '|')
	wrong=$(grep -nE '^#include "[a-z]+/' "$directory"/*.[ch] | grep -vE "#include \"($allowed)/")
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
check_includes cli proto common
check_includes launcher proto common
check_includes authd db proto common
check_includes sessiond db proto common
check_includes botd recipe db proto common
check_includes streamd recipe state proto common

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
must_not_link streamd libpq 'it may not reach the database'
must_not_link stead-launcher libpq 'it may not reach the database'
must_not_link steadctl libpq 'it asks the daemons'
for program in streamd botd authd stead-launcher steadctl; do
	must_not_call $program '(EVP_(aes|chacha|Cipher|Encrypt|Decrypt|KDF|PKEY_derive)\w*)' 'only sessiond opens what the vault keeps'
done
must_not_call sessiond '(getaddrinfo|gethostbyname)' 'it dials its database alone'
exit $status
