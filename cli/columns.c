#include "cli/columns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define LEAST 20 /* what is wrapped into less is no longer read */

struct page page_stdout(int wide)
{
	struct page page = { .out = stdout };
	struct winsize size;

	if (!wide && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		page.columns = size.ws_col;
	return page;
}

/* The bytes of the first character, and the columns that it takes. */
static size_t columns_step(const char *text, mbstate_t *state, size_t *ret_columns)
{
	wchar_t c;
	size_t n = mbrtowc(&c, text, MB_CUR_MAX, state);

	if (n == 0 || n > MB_CUR_MAX) {
		*state = (mbstate_t){ 0 };
		*ret_columns = 1;
		return 1;
	}
	*ret_columns = wcwidth(c) < 0 ? 1 : (size_t)wcwidth(c);
	return n;
}

size_t columns_of(const char *text)
{
	mbstate_t state = { 0 };
	size_t all = 0, columns;

	while (*text) {
		text += columns_step(text, &state, &columns);
		all += columns;
	}
	return all;
}

size_t columns_fit(const char *text, size_t columns)
{
	mbstate_t state = { 0 };
	size_t bytes = 0, used = 0, more;

	while (text[bytes]) {
		size_t n = columns_step(text + bytes, &state, &more);
		used += more;
		if (used > columns && bytes)
			break;
		bytes += n;
	}
	return bytes;
}

void columns_pad(FILE *out, const char *text, size_t to)
{
	fputs(text, out);
	for (size_t n = columns_of(text); n < to; n++)
		fputc(' ', out);
}

/* What of text goes into one line: up to the last blank that fits, or as much as does where there is none. */
static size_t columns_line_of(const char *text, size_t columns)
{
	size_t n = columns_fit(text, columns), blank = n;

	if (!text[n] || text[n] == ' ')
		return n;
	while (blank && text[blank - 1] != ' ')
		blank--;
	while (blank && text[blank - 1] == ' ')
		blank--;
	return blank ? blank : n;
}

void columns_wrap(const struct page *page, size_t indent, const char *text)
{
	size_t columns = page->columns > indent + LEAST ? page->columns - indent : LEAST;

	if (!page->columns) {
		fprintf(page->out, "%s\n", text);
		return;
	}
	for (;;) {
		size_t n = columns_line_of(text, columns);
		fwrite(text, 1, n, page->out);
		fputc('\n', page->out);
		text += n + strspn(text + n, " ");
		if (!*text)
			return;
		fprintf(page->out, "%*s", (int)indent, "");
	}
}
