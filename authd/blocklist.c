#include "authd/blocklist.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The file becomes part of the program: one lower-case entry a line, in the order of strcmp(3). */
__asm__(".section .rodata\n"
	"blocklist_text:\n"
	".incbin \"authd/blocklist.txt\"\n"
	"blocklist_text_end:\n"
	".byte 0\n"
	".previous\n");
extern const char blocklist_text[] __attribute__((visibility("hidden")));
extern const char blocklist_text_end[] __attribute__((visibility("hidden")));

#define MOST_ENTRIES 8192
#define LEAST_PIECE  3
#define MOST_BYTES   256

/* Along these, forwards and backwards, four characters or more are one piece. */
static const char *const walks[] = { "abcdefghijklmnopqrstuvwxyz", "012345678901234567890", "qwertyuiop", "qwertzuiop",
	"azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
	"1q2w3e4r5t6y7u8i9o0p", "!@#$%^&*()", "147258369", NULL };

struct entries {
	size_t count;
	const char *start[MOST_ENTRIES + 1]; /* start[count] is the end */
};

static const struct entries *entries(void)
{
	static struct entries all;

	if (all.count)
		return &all;
	for (const char *p = blocklist_text; p < blocklist_text_end && all.count < MOST_ENTRIES;) {
		all.start[all.count++] = p;
		p += strcspn(p, "\n") + 1;
		all.start[all.count] = p;
	}
	return &all;
}

size_t blocklist_count(void)
{
	return entries()->count;
}

const char *blocklist_entry(size_t n, size_t *ret_length)
{
	const struct entries *all = entries();

	*ret_length = (size_t)(all->start[n + 1] - all->start[n]) - 1;
	return all->start[n];
}

/* A password under examination: as it is but for case, and with the usual stand-ins for letters undone. */
struct subject {
	char plain[MOST_BYTES + 1], undone[MOST_BYTES + 1];
	size_t n;
	const char *const *own;
};

static char blocklist_undo(char c)
{
	static const char from[] = "0134578@$!|+", to[] = "oleastbasiit";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : c;
}

static void subject_init(struct subject *s, const char *password, const char *const *own)
{
	s->n = strnlen(password, MOST_BYTES);
	s->own = own;
	for (size_t i = 0; i < s->n; i++) {
		s->plain[i] = (char)tolower((unsigned char)password[i]);
		s->undone[i] = blocklist_undo(s->plain[i]);
	}
	s->plain[s->n] = s->undone[s->n] = '\0';
}

/* The same few characters over and over are worth what they are worth once. */
static size_t period(const char *text, size_t n)
{
	for (size_t p = 1; p <= n / 2; p++)
		if (memcmp(text, text + p, n - p) == 0)
			return p;
	return n;
}

static int blocklist_compare(const char *text, size_t n, const char *entry, size_t length)
{
	int r = memcmp(text, entry, n < length ? n : length);

	return r ? r : (n > length) - (n < length);
}

static bool blocklist_listed(const char *text, size_t n)
{
	size_t low = 0, high = blocklist_count(), length;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *entry = blocklist_entry(middle, &length);
		int r = blocklist_compare(text, n, entry, length);
		if (r == 0)
			return true;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static size_t longest_listed(const char *text, size_t left)
{
	for (size_t n = left < 24 ? left : 24; n >= LEAST_PIECE; n--)
		if (blocklist_listed(text, n))
			return n;
	return 0;
}

static size_t longest_own(const char *text, size_t left, const char *const *own)
{
	size_t most = 0;

	for (; *own; own++) {
		size_t n = strlen(*own);
		if (n >= LEAST_PIECE && n <= left && n > most && strncasecmp(text, *own, n) == 0)
			most = n;
	}
	return most;
}

static size_t blocklist_run(const char *text)
{
	size_t n = strspn(text, (char[]){ *text, '\0' });

	return n >= LEAST_PIECE ? n : 0;
}

/* How far text follows a walk from one of its places, step by step in one direction. */
static size_t blocklist_follow(const char *walk, const char *text, int step)
{
	size_t most = 0;

	for (const char *from = strchr(walk, *text); from; from = strchr(from + 1, *text)) {
		const char *at = from;
		size_t n = 1;
		while (text[n] && (step > 0 || at > walk) && at[step] == text[n]) {
			at += step;
			n++;
		}
		if (n > most)
			most = n;
	}
	return most;
}

static size_t longest_walk(const char *text)
{
	size_t most = 0;

	for (const char *const *w = walks; *w; w++) {
		for (int step = -1; step <= 1; step += 2) {
			size_t n = blocklist_follow(*w, text, step);
			if (n > most)
				most = n;
		}
	}
	return most > LEAST_PIECE ? most : 0;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The length of the known piece that begins at i, or 0; and what it is worth when it is new. */
static size_t piece(const struct subject *s, size_t i, unsigned *ret_worth)
{
	size_t left = s->n - i, n = larger(blocklist_run(s->plain + i), longest_walk(s->plain + i));
	size_t own = longest_own(s->plain + i, left, s->own);

	n = larger(n, longest_listed(s->plain + i, left));
	n = larger(n, longest_listed(s->undone + i, left));
	*ret_worth = own >= n ? 1 : 3;
	return larger(n, own);
}

static bool seen_before(const struct subject *s, size_t i, size_t n)
{
	for (size_t at = 0; at + n <= i; at++)
		if (memcmp(s->plain + at, s->plain + i, n) == 0)
			return true;
	return false;
}

unsigned blocklist_worth(const char *password, const char *const *own)
{
	struct subject s;
	unsigned worth = 0, each;
	size_t n;

	subject_init(&s, password, own);
	s.n = period(s.plain, s.n);
	s.plain[s.n] = s.undone[s.n] = '\0';
	for (size_t i = 0; i < s.n; i += n) {
		n = piece(&s, i, &each);
		if (!n)
			worth++;
		else if (!seen_before(&s, i, n))
			worth += each;
		n = larger(n, 1);
	}
	return worth;
}
