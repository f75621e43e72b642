/*
 * A stream of bytes as a peer would send it: frames, their JSON, their envelopes, the engine's own params. Whatever our
 * reader accepts jansson accepts too, and the other way round for whole objects.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "proto/json.h"
#include "proto/message.h"
#include "proto/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP 100000

/* A copy on the heap with its NUL, so that a byte too far is seen. */
static char *copy(const uint8_t *p, size_t n)
{
	char *c = malloc(n + 1);

	memcpy(c, p, n);
	c[n] = '\0';
	return c;
}

/* Two readers with one grammar; only names that stand twice are for the rows to notice. */
static void compare(const struct frame *f)
{
	char *text = copy(f->body, f->length), *original = copy(f->body, f->length);
	struct scan s = scan_begin(text, f->length);
	const char *why = NULL;
	json_t *document = NULL;
	bool object = scan_peek(&s) == '{', ours = scan_skip(&s, NULL) && scan_end(&s);
	int theirs = json_read(original, f->length, &document, &why);

	if (memcmp(text, original, f->length) != 0)
		abort(); /* skipping changes nothing */
	if ((theirs == 0) != (ours && object) && !(theirs < 0 && why && strstr(why, "twice")))
		abort();
	json_decref(document);
	free(text);
	free(original);
}

static void look(const char *s)
{
	if (s && strlen(s) > CAP)
		abort();
}

static void read_message(const struct frame *f)
{
	char *text = copy(f->body, f->length);
	struct engine_params e;
	struct message m;
	const char *why = NULL;

	if (message_scan(text, f->length, &m, &why) < 0) {
		if (!why || !*why)
			abort();
		free(text);
		return;
	}
	if (!m.response != !!m.method || m.id < 0 || m.ms < 0 || m.credit < 0)
		abort();
	look(m.method);
	look(m.acting.name);
	look(m.acting.login);
	look(m.acting.ip);
	if (m.params_text.p && message_scan_engine(m.params_text, &e, &why) == 0 && (e.id < 0 || e.n < 0))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	size_t at = 0;

	json_cleanse();
	while (frame_parse(data + at, size - at, CAP, &f) == FRAME_COMPLETE) {
		if (f.length == 0 || f.body + f.length > data + size)
			abort();
		compare(&f);
		read_message(&f);
		at += FRAME_HEADER + f.length;
	}
	return 0;
}
