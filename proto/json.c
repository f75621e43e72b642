#include "proto/json.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/must.h"

static void *allocate(size_t size)
{
	return must(malloc(size ? size : 1));
}

static void cleanse_and_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void json_cleanse(void)
{
	json_set_alloc_funcs(allocate, cleanse_and_free);
}

/* jansson itself would follow 2048 levels; brackets inside strings do not count. */
static bool too_deep(const char *p, size_t n)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_MOST_DEPTH)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

static const char *sentence(enum json_error_code code)
{
	switch (code) {
	case json_error_duplicate_key: return "The same name stands twice in one object.";
	case json_error_invalid_utf8: return "The text is not valid UTF-8.";
	case json_error_null_character:
	case json_error_null_byte_in_key: return "A text holds the character NUL.";
	case json_error_numeric_overflow: return "A number is too large.";
	case json_error_end_of_input_expected: return "Something follows after the object.";
	case json_error_premature_end_of_input: return "The text ends too early.";
	default: return "The text is not well-formed JSON.";
	}
}

int json_read_any(const char *p, size_t n, json_t **ret, const char **ret_why)
{
	const char *unused;
	json_error_t error;

	if (!ret_why)
		ret_why = &unused;
	if (memchr(p, '\0', n)) { /* which jansson takes for white space between tokens */
		*ret_why = "The text is not well-formed JSON.";
		return -EBADMSG;
	}
	if (too_deep(p, n)) {
		*ret_why = "The text is nested deeper than 32 levels.";
		return -EBADMSG;
	}
	json_t *document = json_loadb(p, n, JSON_REJECT_DUPLICATES, &error);
	if (!document) {
		*ret_why = sentence(json_error_code(&error));
		return -EBADMSG;
	}
	*ret = document;
	return 0;
}

int json_read(const char *p, size_t n, json_t **ret, const char **ret_why)
{
	json_auto_t *document = NULL;
	int r = json_read_any(p, n, &document, ret_why);

	if (r == 0 && !json_is_object(document)) {
		r = -EBADMSG;
		if (ret_why)
			*ret_why = "The text is not one JSON object.";
	}
	if (r == 0)
		*ret = TAKE(document);
	return r;
}

char *json_text(const json_t *document, size_t *ret_length)
{
	char *text = must(json_dumps(document, JSON_COMPACT));

	*ret_length = strlen(text);
	return text;
}

void json_text_free(char *text, size_t length)
{
	if (text)
		explicit_bzero(text, length);
	free(text);
}
