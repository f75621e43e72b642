/* What viewers send: pointer, keys and text for the page in front, and words for Stead itself. Order is kept. */
#pragma once

#include <jansson.h>

#include "streamd/viewer.h"

/*
 * Takes one message. -EPROTO with *ret_why (a sentence, valid until the next call) when it is none that a page of ours would
 * send: the connection is then closed. Never waits.
 */
int input_take(struct viewer *v, const char *method, json_t *params, const char **ret_why);

/* hands_new(): one that was held is taken now; owner is the stream. */
void input_let_go(void *owner, uint64_t viewer, const char *method, json_t *params);
