#include "streamd/browser/user_agent.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/words.h"

static struct {
	char text[513];
	struct stat file; /* as it was */
} known;

static bool user_agent_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

const char *user_agent_known(const char *chromium)
{
	struct stat now;

	return *known.text && stat(chromium, &now) == 0 && user_agent_is_same(&now, &known.file) ? known.text : NULL;
}

void user_agent_keep(const char *chromium, const char *user_agent)
{
	known.text[0] = '\0';
	if (stat(chromium, &known.file) == 0)
		exact_must(known.text, sizeof(known.text), "%s", user_agent);
}
