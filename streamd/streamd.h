/* streamd's own state: what its parts share. */
#pragma once

#include "common/latch.h"
#include "proto/peer.h"
#include "recipe/recipe.h"
#include "recipe/set.h"
#include "streamd/settings.h"

struct edge_routes;
struct environment;
struct feed;
struct runs;
struct sign_ins;

struct streamd {
	struct streamd_settings settings;
	struct recipe_set *recipes;
	struct peer *authd, *sessiond, *botd;
	struct sign_ins *sign_ins;
	struct runs *runs;       /* bots' browsers: streamd/run/runs.h */
	bool stopping;
	struct latch noted; /* the last of them is waited for */
	size_t notes; /* to authd's audit, under way: streamd/audit.h */
	struct edge_routes *routes;
	struct feed *feed;
	char chromium_trouble[512]; /* why the last browser did not start; empty if it did */
};

/* The recipes, at the start and anew: new work goes by the new ones, open work ends with those it began with. */
void streamd_load_recipes(struct streamd *d);

/* The recipe of that name, with a reference, or NULL after refusing the call. */
const struct recipe *streamd_recipe(struct streamd *d, struct call *call, const char *site);

/* What a new browser for the recipe looks like; texts borrowed from the recipe. */
void streamd_environment(const struct recipe *recipe, int width, int height, struct environment *ret);

/* Keeps, or with 0 forgets, why a browser did not start. */
void streamd_note_start(struct streamd *d, struct call *call, int r);
