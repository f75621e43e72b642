/*
 * A recipe: what a site's JSON file (sites/NAME.json) says, read and checked. docs/recipes.md explains the format; the
 * keys, with their meaning, are the rows of recipe/recipe.def, from which the structs below come: a list `x` has its
 * length in `x_count`, an absent text is NULL, an absent number has the value that its row names.
 *
 * A recipe is read once and never changes; everything in it lives as long as it does.
 *
 * `doubts` are sentences, as "FILE:LINE: key: ...", about what is allowed and cannot work: patterns that no page of the site's
 * hosts can fit, hosts that no browser may reach.
 *
 * A file of before, with which an action could be carried out twice, is read, with the action off: `off` says why, as
 * "FILE:LINE: key: what is wrong", and `off_means` what that means, to be put behind "the recipe"; both NULL for all others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/vocabulary.h"

struct arena;

#define EXPAND_STRUCTS
#include "recipe/expand.h"
#undef EXPAND_STRUCTS

/* Larger files are refused. */
#define RECIPE_MOST_BYTES (256 * 1024)

/*
 * Reads n bytes of text. file names them in errors; its last part without ".json" is the recipe's name. -EINVAL with
 * the reason in why (size bytes), as "FILE:LINE: key: what is wrong": the first in the file, and how many more there are.
 */
int recipe_parse(const char *file, const char *text, size_t n, const struct recipe **ret, char *why, size_t size);

/* The same for a file. -EINVAL as above; -ENOENT and the like, also with the reason in why. */
int recipe_load_file(const char *path, const struct recipe **ret, char *why, size_t size);

/* The same for its writer: all that is wrong goes to out, a line each. */
int recipe_check_file(const char *path, FILE *out, const struct recipe **ret);

/*
 * Whoever goes on with a recipe after a wait holds a reference, for the set that it was found in may be loaded anew meanwhile; who
 * reads one has the first. The last one gone, it is freed. Both take NULL; recipe_unref() returns NULL.
 */
const struct recipe *recipe_ref(const struct recipe *r);
const struct recipe *recipe_unref(const struct recipe *r);
void recipe_unrefp(const struct recipe **r);

/* The action of that name, or NULL. */
const struct recipe_action *recipe_action_find(const struct recipe *r, const char *name);

/* Whether all that it takes is asked for over HTTP, so that no browser is needed. */
bool recipe_action_pageless(const struct recipe *r, const struct recipe_action *a);

/* Whether the site's browsers may reach a host, by its name. */
bool recipe_allows_host(const struct recipe *r, const char *host);

/* Whether an address is a page of one of the site's identity providers. */
bool recipe_is_provider(const struct recipe *r, const char *url);

/* Whether url fits one of the patterns, as in signed_in.url and probe.out.url. */
bool recipe_any_url(const char *const *patterns, size_t count, const char *url);

/*
 * The account that text (of probe.in's element) names: trimmed, its pattern taken off. Copied to out (size bytes).
 * False if it names none or does not fit.
 */
bool recipe_account(const struct recipe_probe_in *in, const char *text, char *out, size_t size);
