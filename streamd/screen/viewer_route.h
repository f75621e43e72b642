/* The edge's row for /ws/streams/ID: who may look at a stream, and what its viewers send. */
#pragma once

#include "streamd/edge/edge_routes.h"

struct streamd;

struct edge_route viewer_route(struct streamd *d);
