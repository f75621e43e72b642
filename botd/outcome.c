#include "botd/outcome.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/span.h"
#include "common/words.h"

#define BEFORE    OUTCOME_BEFORE
#define UNSENT    OUTCOME_UNSENT
#define SENT      OUTCOME_SENT
#define LISTED    OUTCOME_LISTED
#define LACKING   OUTCOME_LACKING
#define UNREAD    OUTCOME_UNREAD
#define EARLIER   OUTCOME_EARLIER
#define STUCK     OUTCOME_STUCK
#define SWALLOWED OUTCOME_SWALLOWED
#define COMPLAINT OUTCOME_COMPLAINT
#define SETTLED   OUTCOME_SETTLED
#define ANSWER    OUTCOME_ANSWER

/* The recipe's, or "failed"; verdict_of(). */
#define VERDICT ""

/* The first whose facts are all there counts. */
static const struct outcome_row {
	unsigned facts;
	enum ending_kind kind;
	const char *outcome, *sentence;
} rows[] = {
	{ BEFORE | LISTED | EARLIER, ENDING_DONE, "booked", "{site} lists it among your bookings; nothing was sent again." },
	{ BEFORE | LISTED, ENDING_DONE, "already_booked", "{site} lists it among your bookings already; nothing was sent." },
	{ BEFORE | UNREAD, ENDING_AGAIN, NULL, "The list of your bookings could not be read: Stead could not {undone}." },
	{ BEFORE | LACKING, ENDING_NONE, NULL, "" },

	{ UNSENT | STUCK, ENDING_AGAIN, NULL, "Nothing was sent: {stuck}{earlier}" },
	{ UNSENT | SWALLOWED | COMPLAINT, ENDING_DONE, VERDICT, "Nothing was sent; {site} says: \"{complaint}\"{earlier}" },
	{ UNSENT | SWALLOWED, ENDING_DONE, VERDICT, "Nothing was sent: the page of {site} took the press and asked for nothing. "
		"Something may lie over it, such as a prompt for a passkey; look at the picture, and try again.{earlier}" },
	{ UNSENT | COMPLAINT, ENDING_DONE, VERDICT, "{site} says: \"{complaint}\"{earlier}" },
	{ UNSENT, ENDING_DONE, VERDICT, "Stead could not {undone} at {site}. Perhaps there is no such thing there: look at the picture. "
		"If there is, show the log to the administrator, for the site may have changed.{earlier}" },

	{ SENT | LISTED, ENDING_DONE, "booked", "{site} lists it among your bookings." },
	{ SENT | LACKING | SETTLED | COMPLAINT, ENDING_DONE, VERDICT, "{site} says: \"{complaint}\"" },
	{ SENT | LACKING | SETTLED, ENDING_DONE, VERDICT, "It was sent; then Stead could not {undone} at {site}." },
	{ SENT | LACKING | ANSWER, ENDING_LOOK, NULL, "{sent}, but is not among your bookings at {site}; {answer}" },
	{ SENT | LACKING, ENDING_LOOK, NULL, "{sent}, but is not among your bookings at {site}." },
	{ SENT | UNREAD, ENDING_LOOK, NULL, "{sent}, but your bookings at {site} could not be read: Stead could not {undone}." },
};

bool outcome_is_good(const char *outcome)
{
	return span_lists("booked|already_booked|waitlisted", "|", outcome);
}

/* An attempt that has sent nothing tells of what an earlier one may have sent only if the site says that it has it. */
static const char *verdict_of(const struct outcome_seen *s)
{
	const char *verdict = s->verdict ? s->verdict : "failed";

	return (s->facts & UNSENT) && (s->facts & EARLIER) && !outcome_is_good(verdict) ? "unconfirmed" : verdict;
}

/* What stands in a sentence for a name in braces; *p is set behind it. */
static const char *insert_of(const struct outcome_seen *s, const char **p)
{
	const struct {
		const char *name, *text;
	} inserts[] = {
		{ "{site}", s->site },
		{ "{undone}", s->undone },
		{ "{stuck}", s->stuck },
		{ "{complaint}", s->complaint },
		{ "{answer}", s->answer },
		{ "{sent}", s->facts & OUTCOME_SURE ? "It was sent" : "It may have been sent" },
		{ "{earlier}", s->facts & EARLIER ? " This try has sent nothing; an earlier one may have sent it." : "" },
	};

	for (size_t i = 0; i < sizeof(inserts) / sizeof(*inserts); i++) {
		size_t n = strlen(inserts[i].name);
		if (strncmp(*p, inserts[i].name, n) != 0)
			continue;
		*p += n;
		return inserts[i].text;
	}
	abort(); /* of a row above */
}

static void outcome_say(struct ending *e, const struct outcome_seen *s, const char *sentence)
{
	char plain[256] = "";

	e->reason[0] = '\0';
	while (*sentence) {
		size_t n = strcspn(sentence, "{");
		assert(n < sizeof(plain));
		memcpy(plain, sentence, n);
		plain[n] = '\0';
		sentence += n;
		words_add(e->reason, sizeof(e->reason), "%s%s", plain, *sentence ? insert_of(s, &sentence) : "");
	}
}

void outcome_decide(const struct outcome_seen *s, struct ending *e)
{
	const struct outcome_row *row = rows;

	while ((s->facts & row->facts) != row->facts)
		row++;
	e->kind = row->kind;
	e->outcome = row->outcome && !*row->outcome ? verdict_of(s) : row->outcome;
	outcome_say(e, s, row->sentence);
}
