/* The connections that a person's requests at a site share (private to http/). */
#pragma once

#include <curl/curl.h>

#include "http/http.h"

struct http_client {
	CURLM *multi;
	struct event *timer;
	struct http_config config;
};
