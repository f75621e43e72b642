/*
 * Refusals: the errors a peer may see. Rows are in proto/errors.def.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum error_code {
#define ERROR(name_, rpc_, http_, exit_, sentence_) ERR_##name_,
#include "proto/errors.def"
#undef ERROR
	ERROR_COUNT
};

struct error_row {
	const char *name;
	int rpc;  /* JSON-RPC error.code */
	int http; /* HTTP status */
	int exit; /* steadctl's exit status, in the manner of sysexits(3) */
	const char *sentence;
};

const struct error_row *error_row(enum error_code code);

/* The row of a name, or of ERR_internal for a name of a newer peer. */
enum error_code error_by_name(const char *name);

#define MOST_RETRY_MS 86400000

/* What a call is refused with. */
struct refusal {
	enum error_code code;
	char field[96];     /* path of the offending field, such as "steps[2].url"; may be empty */
	char message[1100]; /* one or more sentences: what happened, to what, what to do next */
	char detail[400];   /* what an administrator needs beside that: which daemon, which command; may be empty */
	int64_t retry_ms;   /* after how long to ask again, a day at most; 0: nobody can say */
};

/* Fills r; an empty sentence takes the row's own. field may be NULL. The arguments may be of r. */
void refusal_set(struct refusal *r, enum error_code code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void refusal_set_v(struct refusal *r, enum error_code code, const char *field, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

/* What a log and an administrator are told: the detail, or the message where there is none. Borrowed from r. */
const char *refusal_cause(const struct refusal *r);

/* What a negative errno from below means to a peer; internal text stays inside. */
enum error_code error_from_errno(int r);

/* Whether it passes by itself, so that what may safely be said twice is worth another try in a moment. */
bool error_may_pass(enum error_code code);
