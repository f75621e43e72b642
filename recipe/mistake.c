#include "recipe/mistake.h"

#include "common/words.h"

#define MOST_WORDS 4400 /* a path, a place and a sentence */

void mistakes_add(struct mistakes *m, unsigned line, const char *place, const char *words)
{
	if (m->count < MOST_MISTAKES)
		m->items[m->count++] = (struct mistake){ .line = line, .place = place, .words = words, .about = place };
	else
		m->more++;
}

size_t mistakes_total(const struct mistakes *m)
{
	return m->count + m->more;
}

/* By insertion: they are few, and mostly in order. */
void mistakes_sort(struct mistakes *m)
{
	for (size_t i = 1; i < m->count; i++) {
		struct mistake moved = m->items[i];
		size_t at = i;

		for (; at > 0 && m->items[at - 1].line > moved.line; at--)
			m->items[at] = m->items[at - 1];
		m->items[at] = moved;
	}
}

const char *mistake_words(struct arena *arena, const char *file, const struct mistake *m)
{
	const char *colon = *m->place ? ": " : "";

	if (!file)
		return words_new(arena, MOST_WORDS, "%s%s%s", m->place, colon, m->words);
	if (!m->line)
		return words_new(arena, MOST_WORDS, "%s: %s%s%s", file, m->place, colon, m->words);
	return words_new(arena, MOST_WORDS, "%s:%u: %s%s%s", file, m->line, m->place, colon, m->words);
}
