/* The description of the HTTP API (OpenAPI 3.1), made from the method tables. */
#pragma once

#include <jansson.h>

/* A new document. server: where the API is, such as https://stead.example.org. Aborts when memory is exhausted. */
json_t *openapi_document(const char *server);
