#!/bin/sh
# Builds programs and pages, with one line of progress and all of the compiler's words if it fails.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
if make -q programs web > /dev/null 2>&1; then exit; fi
start=$(date +%s)
echo "Building Stead."
if ! make -j "$(nproc)" programs web > build/demo-build.log 2>&1; then
	grep -E -B 2 -A 8 'error|Error' build/demo-build.log | tail -n 40 >&2
	echo "Stead could not be built; all of it is in $PWD/build/demo-build.log." >&2
	exit 1
fi
echo "Built in $(($(date +%s) - start)) s."
