/* What a session lacks although it works: said as it is saved, for the person would otherwise meet it unprepared. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "state/state.h"
#include "streamd/browser/browser.h"

/* That the site's cookies live too short to be used again, a sentence; false, and "": they do not. */
bool caution_fleeting(const struct state *s, char *out, size_t size);

/* All of it, of what was captured in that browser, and that accounts cannot be told apart; sentences, "" if there is nothing. */
void caution_words(const struct browser *b, const struct recipe *recipe, const struct state *s, char *out, size_t size);
