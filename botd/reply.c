#include "botd/reply.h"

void reply_end(struct reply *r)
{
	json_decref(r->json);
	arena_free(r->arena);
	*r = (struct reply){ 0 };
}
