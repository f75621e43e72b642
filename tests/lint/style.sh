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
	complain '\{\.' 'Put a space within the braces.' $sources
	complain '^#ifndef \w+_H$' 'A header is read once by #pragma once.' $sources
	complain '\bint err\b' 'What a function returns is r, or e where r is something else.' $sources
	complain '^\s*//' 'Comments are /* like this */.' $sources
	complain '\b(TO''DO|FIX''ME)\b' 'Do it, or open an issue; nothing is left half done in the tree.' $sources $scripts
	complain '\b(gets|strtok|atof|alloca|vsprintf)\(' 'There is a safer one.' $sources
}
# Chromium frees a target whenever it likes: whoever waits has a struct target_ref (streamd/browser/browser.h).
held=$(for f in streamd/*.[ch] streamd/*/*.[ch]; do
	perl -0777 -ne 'while (/\b(\w+)\([^()]*\bstruct target \*[^()]*\bint64_t (?:deadline|ms)\b[^()]*\)/g) { print "$ARGV: $1\n" }' "$f"
done; grep -nP '^\t(const )?struct target \*\w+;' streamd/*/*.h /dev/null)
if [ -n "$held" ]; then
	echo "$held"
	echo '	What waits, and what lasts, refers to a target by a struct target_ref; a pointer may be dead after the wait.'
	status=1
fi
# Whoever reads an out-text after success, or after a failure that nobody thought of, must not read what was on the stack.
stale=$(for f in */*.c streamd/*/*.c; do
	perl -0777 -ne 'while (/^(?!static)(?:\w[\w *]*?)\b(\w+)\(((?:[^()]|\([^()]*\))*)\)\n\{\n(.*?)^\}/msg) {
		my ($name, $params, $body) = ($1, $2, $3);
		print "$ARGV: $name\n" if $params =~ /(?<!const )char (\*why,|why\[)/ && $body !~ /\*why = .\\0.|^\twords_set\(why,/m
	}' "$f"
done)
if [ -n "$stale" ]; then
	echo "$stale"
	echo '	An out-text is written in every case, so write it first: "".'
	status=1
fi
# Text is put together by common/words.h alone, so that none ends inside a character. Exempt are words.c itself, log.c, which
# escapes what words.h makes blanks of, and arena.c, which measures first.
product=$(echo "$sources" | grep -vE "^\./tests/|^\./common/(words|log|arena)\.c$")
# shellcheck disable=SC2086
{
	complain '\b(v?sn?printf|st[rp]n?cpy|strn?cat|strlcpy|strlcat)\(' 'Put text together with common/words.h: words_ for sentences, exact_ for names and paths.' $product
	complain '%\.(\*|[0-9]+)s' 'It can end inside a character: BRIEF() of common/words.h does not.' $product
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
