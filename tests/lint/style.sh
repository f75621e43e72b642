#!/bin/sh
# Tabs, line ends and widths of every source file, and a few habits of this house that a compiler does not see.
cd "$(dirname "$0")/../.." || exit 1
status=0

complain() { # PATTERN SENTENCE FILES...
	pattern=$1 sentence=$2
	shift 2
	found=$(grep -nP "$pattern" "$@" /dev/null) || return 0
	echo "$found" | head -n 10
	echo "	$sentence"
	status=1
}

sources=$(find . \( -path ./build -o -path ./node_modules -o -path ./.git \) -prune -o -name '*.[ch]' -print)
scripts=$(find . \( -path ./build -o -path ./node_modules -o -path ./.git \) -prune -o \
	\( -name '*.mjs' -o -name '*.sh' -o -name '*.js' -o -name '*.sql' -o -name '*.def' -o -name '*.mk' \) -print)

# shellcheck disable=SC2086 # no name here has a space
{
	complain '[ \t]+$' 'There are blanks at the end of the line.' $sources $scripts
	complain '^ {8}' 'Indent with tabs.' $sources
	complain '^\t* {1,3}(if|for|while|return|case)\b' 'Indent with tabs alone.' $sources
	complain '\b(if|for|while|switch)\(' 'Put a space between the keyword and its parenthesis.' $sources
	complain '\b(if|for|while|switch) \(.*\)\{' 'Put a space before the brace.' $sources
	complain '^\s*//' 'Comments are /* like this */.' $sources
	complain '\b(TO''DO|FIX''ME)\b' 'Do it, or open an issue; nothing is left half done in the tree.' $sources $scripts
	complain '\b(gets|strtok|atof|alloca|vsprintf)\(' 'There is a safer one.' $sources
}
# A sentence for a person is never broken, so that it can be searched for.
wide=$(for f in $sources; do
	expand -t 8 "$f" | grep -nP '^.{133,}$' | grep -vP '"([^"\\]|\\.){30}' | sed "s|^|$f:|"
done)
if [ -n "$wide" ]; then
	echo "$wide"
	echo '	A line has at most 132 columns (a hundred is what to aim at), but for one that holds a sentence.'
	status=1
fi
exit $status
