/*
 * Bots' browsers: a run is one fresh browser with a captured session in it, opened, driven step by step and closed by
 * botd (run_open, run_step, run_close of proto/streamd.def, which are carried out here).
 *
 * A run belongs to the user it was opened for. It ends when it is closed; else, when no step has come for run_idle_s, with
 * run_clear or with streamd, by itself, and what its browser holds is saved from here (run_left.c). The user may watch
 * it meanwhile.
 *
 * Room: may include browser/ session/ edge/ screen/ streamd.h handlers.h.
 */
#pragma once

#include <stddef.h>

#include "streamd/screen/viewer_route.h"

struct runs;
struct streamd;

struct runs *runs_new(struct streamd *d);

/* In a fiber: ends what is under way and every browser, and saves what they hold. Takes NULL, returns NULL. */
struct runs *runs_free(struct runs *r);

/* A screen_find, to look at alone: the user's at that site, of which there is one at a time, for it has the session to itself. */
void runs_find_screen(struct streamd *d, const char *site, const struct login *login, struct screen_found *ret);

/* Those that are open or being opened; 0 for NULL. */
size_t runs_count(const struct runs *r);
