/* What became of all that went, as it is told. */
#include "common/words.h"
#include "streamd/browser/act_inside.h"

#define MOST_WHY 512 /* bytes of a sentence */

bool tally_has_left(const struct tally *t)
{
	return t->answered || t->lost;
}

bool act_only_reads(const struct act *a)
{
	return tally_has_left(&a->maybe) && !tally_has_left(&a->sure) && !a->socket;
}

enum act_answer act_answer(const struct act *a, struct arena *arena, int *ret_status, const char **ret_why)
{
	const struct asked *waits = a->flying ?: act_next(a);
	const struct coming *comes = coming_first(a, true);
	const struct tally *of = tally_has_left(&a->sure) ? &a->sure : &a->maybe;

	*ret_status = of->highest;
	*ret_why = a->why;
	if (waits)
		*ret_why = words_new(arena, MOST_WHY, "%s %s has no answer yet.", waits->method, url_shown(waits->url));
	else if (comes)
		*ret_why = words_new(arena, MOST_WHY, "The answer to %s has begun, and has not come to its end yet.", comes->words);
	if (waits || comes)
		return ACT_OPEN;
	if (of->lost)
		return ACT_LOST;
	if (of->answered)
		return ACT_ANSWERED;
	if (!a->socket)
		return ACT_UNSENT;
	*ret_why = "It went over a WebSocket, whose answers are not known.";
	return ACT_OPEN;
}
