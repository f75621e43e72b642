#!/bin/sh
# Fuzzes one target for so many seconds: tests/fuzz/run.sh cbor 60. What it learns is kept in build/fuzz-corpus; a crash
# is kept in build/fuzz-crashes and, once understood, goes into tests/fuzz/corpus, which the unit tests replay.
set -eu
cd "$(dirname "$0")/../.."
name=$1 seconds=$2
corpus=build/fuzz-corpus/$name crashes=build/fuzz-crashes
mkdir -p "$corpus" $crashes
set --
if [ -d "tests/fuzz/corpus/$name" ]; then set -- "tests/fuzz/corpus/$name"; fi
# Every name that the tables know, in quotes, so that what is tried gets past the first brace.
dictionary=build/fuzz-$name.dict
grep -ohE '\b[A-Z]+\([a-z_]+,' proto/*.def recipe/recipe.def | sed -E 's/.*\((.*),/"\\x22\1\\x22"/' | sort -u > "$dictionary"
# Its time-out goes by the clock, and it runs behind others.
build/fuzz/fuzz/fuzz_"$name" -max_total_time="$seconds" -timeout=50 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	-artifact_prefix=$crashes/"$name"- -dict="$dictionary" "$corpus" "$@"
