#include "authd/openapi.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cookie.h"
#include "authd/http.h"
#include "common/cleanup.h"
#include "common/origin.h"
#include "proto/route.h"
#include "common/daemon.h"
#include "common/must.h"
#include "common/span.h"
#include "common/words.h"
#include "proto/error.h"

static void openapi_put(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, must(value)) != 0)
		abort();
}

static void openapi_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, must(value)) != 0)
		abort();
}

static json_t *object_schema(const struct field *rows);

static json_t *openapi_typed(const char *type)
{
	return must(json_pack("{ss}", "type", type));
}

/* format: NULL for none. */
static json_t *openapi_text_schema(int64_t most, const char *format)
{
	return must(json_pack("{ss si sI ss*}", "type", "string", "minLength", 1, "maxLength", (json_int_t)most, "format", format));
}

static json_t *enum_schema(const char *words)
{
	json_t *list = must(json_array());
	struct span rest = span_of(words), word;

	while (span_next(&rest, "|", &word))
		openapi_append(list, json_stringn(word.p, word.n));
	return must(json_pack("{ss so}", "type", "string", "enum", list));
}

static json_t *int_schema(const struct field *f)
{
	json_t *least = f->least == INT64_MIN ? NULL : must(json_integer(f->least));
	json_t *most = f->most == INT64_MAX ? NULL : must(json_integer(f->most));

	return must(json_pack("{ss ss so* so*}", "type", "integer", "format", "int64", "minimum", least, "maximum", most));
}

static json_t *real_schema(const struct field *f)
{
	return must(json_pack("{ss sI sI}", "type", "number", "minimum", (json_int_t)f->least, "maximum",
		(json_int_t)f->most));
}

static json_t *list_schema(json_t *items, int64_t most)
{
	return must(json_pack("{ss so sI}", "type", "array", "items", items, "maxItems", (json_int_t)most));
}

static json_t *field_schema(const struct field *f)
{
	switch (f->kind) {
	case FIELD_STR: return openapi_text_schema(f->most, NULL);
	case FIELD_SECRET: return openapi_text_schema(f->most, "password");
	case FIELD_INT: return int_schema(f);
	case FIELD_REAL: return real_schema(f);
	case FIELD_BOOL: return openapi_typed("boolean");
	case FIELD_ENUM: return enum_schema(f->words);
	case FIELD_JSON: return openapi_typed("object");
	case FIELD_STRS: return list_schema(openapi_text_schema(f->each, NULL), f->most);
	case FIELD_OBJ: return object_schema(f->type());
	case FIELD_LIST: return list_schema(object_schema(f->type()), f->most);
	case FIELD_MEMFD:
	case FIELD_HANDLE:
	case FIELD_OPTIONAL:
	case FIELD_END: break;
	}
	return must(json_object()); /* descriptors do not travel over HTTP */
}

static json_t *described(const struct field *f)
{
	json_t *schema = field_schema(f);

	openapi_put(schema, "description", json_string(f->sentence));
	return schema;
}

/* The field at row or behind it, and whether it may be absent; NULL when there is none. */
static const struct field *real_field(const struct field *row, bool *ret_optional)
{
	*ret_optional = row->kind == FIELD_OPTIONAL;
	row += *ret_optional;
	return row->kind == FIELD_END ? NULL : row;
}

static bool in_path(const char *path, const char *name)
{
	char braced[80];

	exact_must(braced, sizeof(braced), "{%s}", name);
	return path && strstr(path, braced);
}

/* What has no items is left out. */
static json_t *unless_empty(json_t *array)
{
	if (json_array_size(array))
		return array;
	json_decref(array);
	return NULL;
}

/* path: fields that stand in it are left out. */
static json_t *shape_schema(const struct field *rows, const char *path)
{
	json_t *properties = must(json_object()), *required = must(json_array());
	bool optional;

	for (const struct field *f = real_field(rows, &optional); f; f = real_field(f + 1, &optional)) {
		if (in_path(path, f->name))
			continue;
		openapi_put(properties, f->name, described(f));
		if (!optional)
			openapi_append(required, json_string(f->name));
	}
	return must(json_pack("{ss so so* sb}", "type", "object", "properties", properties, "required", unless_empty(required),
		"additionalProperties", 0));
}

static json_t *object_schema(const struct field *rows)
{
	return shape_schema(rows, NULL);
}

/* in_body: what is not in the path goes into the body, else into the query. */
static json_t *parameters_of(const struct method *m, bool in_body)
{
	json_t *parameters = must(json_array());
	bool optional;

	for (const struct field *f = real_field(m->params(), &optional); f; f = real_field(f + 1, &optional)) {
		bool path = in_path(m->path, f->name);
		if (path || !in_body)
			openapi_append(parameters, json_pack("{ss ss ss sb so}", "name", f->name, "in", path ? "path" : "query",
				"description", f->sentence, "required", path || !optional, "schema", field_schema(f)));
	}
	return unless_empty(parameters);
}

static json_t *json_content(json_t *schema)
{
	return must(json_pack("{s{so}}", "application/json", "schema", schema));
}

static void add_response(json_t *responses, enum error_code code)
{
	char status[8], reference[96];

	exact_must(status, sizeof(status), "%d", error_row(code)->http);
	exact_must(reference, sizeof(reference), "#/components/responses/%s", status);
	if (!json_object_get(responses, status))
		openapi_put(responses, status, json_pack("{ss}", "$ref", reference));
}

/* A body that is passed through, or events whose data is JSON, each. */
static json_t *answer_of(const struct method *m)
{
	if (m->media)
		return must(json_pack("{ss s{s{}}}", "description", "It, as it is.", "content", m->media));
	if (m->streams)
		return must(json_pack("{so s{s{so}}}", "description", json_sprintf("Events named %s, with this as their data; then one named end.",
			m->name), "content", "text/event-stream", "schema", object_schema(m->result())));
	return must(json_pack("{ss so}", "description", "It was carried out.", "content", json_content(object_schema(m->result()))));
}

static json_t *responses_of(const struct method *m, bool in_body)
{
	json_t *responses = must(json_pack("{so}", "200", answer_of(m)));

	if (m->streams)
		openapi_put(responses, "204", json_pack("{ss}", "description", "There is nothing after that, and will be nothing."));
	add_response(responses, ERR_invalid);
	if (m->scope != SCOPE_ANYONE)
		add_response(responses, ERR_not_signed_in);
	if (strcmp(m->name, "login") == 0) {
		add_response(responses, ERR_bad_password);
		add_response(responses, ERR_throttled);
	}
	if (m->scope >= SCOPE_ADMIN_READ || in_body)
		add_response(responses, ERR_forbidden); /* cross_site has the same status */
	if (strchr(m->path, '{'))
		add_response(responses, ERR_not_found);
	if (in_body) {
		add_response(responses, ERR_conflict);
		add_response(responses, ERR_too_large);
		add_response(responses, ERR_unsupported);
	}
	add_response(responses, ERR_internal);
	add_response(responses, ERR_unavailable);
	add_response(responses, ERR_timed_out);
	return responses;
}

static json_t *operation_of(const struct route *route)
{
	const struct method *m = route->method;
	bool in_body = strcmp(m->verb, "GET") != 0;
	json_t *body = !in_body ? NULL : must(json_pack("{sb so}", "required", 1, "content",
		json_content(shape_schema(m->params(), m->path))));
	json_t *open = m->scope == SCOPE_ANYONE ? must(json_array()) : NULL;
	const char *whose = m->scope >= SCOPE_ADMIN_READ ? "For administrators." : NULL;

	return must(json_pack("{ss ss s[s] so* so* so so* ss*}", "operationId", m->name, "summary", m->sentence, "tags",
		route->daemon, "parameters", parameters_of(m, in_body), "requestBody", body, "responses",
		responses_of(m, in_body), "security", open, "description", whose));
}

static void add_route(const struct route *route, void *arg)
{
	json_t *paths = arg, *item;
	char path[256], verb[16] = "";

	exact_must(path, sizeof(path), "%s%s", HTTP_PREFIX, route->method->path);
	for (size_t i = 0; route->method->verb[i] && i < sizeof(verb) - 1; i++)
		verb[i] = (char)tolower((unsigned char)route->method->verb[i]);
	item = json_object_get(paths, path);
	if (!item) {
		item = must(json_object());
		openapi_put(paths, path, item);
	}
	openapi_put(item, verb, operation_of(route));
}

static json_t *refusal_schema(void)
{
	json_t *codes = must(json_array());

	for (enum error_code code = 0; code < ERROR_COUNT; code++)
		openapi_append(codes, json_string(error_row(code)->name));
	return must(json_pack("{ss s[s] s{s{ss s[ss] s{s{ss so ss} s{ss ss} s{ss ss} s{ss ss}}}}}", "type", "object", "required",
		"error", "properties", "error", "type", "object", "required", "code", "message", "properties", "code",
		"type", "string", "enum", codes, "description", "What kind of refusal it is; never changes its meaning.",
		"field", "type", "string", "description", "The parameter that is wrong, such as steps[2].url.", "message",
		"type", "string", "description", "What happened, to what, and what to do next; for a person.",
		"detail", "type", "string", "description", "What an administrator needs beside that, such as a command."));
}

/* One response for each status, which names the codes that come with it. */
static json_t *refusal_responses(void)
{
	json_t *responses = must(json_object());

	for (enum error_code code = 0; code < ERROR_COUNT; code++) {
		const struct error_row *row = error_row(code);
		CLEANUP(freep) char *text = NULL;
		char status[8];
		json_t *there;

		exact_must(status, sizeof(status), "%d", row->http);
		there = json_object_get(responses, status);
		text = exact_new("%s%s%s: %s", there ? json_string_value(json_object_get(there, "description")) : "",
			there ? "\n\n" : "", row->name, row->sentence);
		if (!there) {
			there = must(json_pack("{so}", "content",
				json_content(json_pack("{ss}", "$ref", "#/components/schemas/refusal"))));
			openapi_put(responses, status, there);
		}
		openapi_put(there, "description", json_string(text));
		if (row->http == 429 || row->http == 503)
			openapi_put(there, "headers",
				json_pack("{s{ss s{ss}}}", "Retry-After", "description",
					"After how many seconds to try again.", "schema", "type", "integer"));
	}
	return responses;
}

json_t *openapi_document(const char *server)
{
	const char *cookie = cookie_login_name(origin_is_https(server));
	json_t *paths = must(json_object());
	json_t *schemes = must(json_pack("{s{ss ss ss ss}}", "login", "type", "apiKey", "in", "cookie", "name", cookie,
		"description", "Set by POST /api/v1/login."));
	char text[1024];

	exact_must(text, sizeof(text),
		"Stead signs in once and then acts in your stead. Requests other than GET carry one JSON object of at most "
		"%d bytes and come from Stead's own page: with \"Sec-Fetch-Site: same-origin\", which browsers send, or "
		"with \"Origin: %s\". Lengths of texts are bytes of UTF-8. Times are ms since 1970, UTC.",
		HTTP_MOST_BODY, server);
	routes_each(method_lists(), add_route, paths);
	return must(json_pack("{ss s{ss ss ss} s[{ss}] s[{s[]}] so s{s{so} so so}}", "openapi", "3.1.0", "info", "title",
		"Stead", "version", STEAD_VERSION, "description", text, "servers", "url", server, "security", "login",
		"paths", paths, "components", "schemas", "refusal", refusal_schema(), "responses", refusal_responses(),
		"securitySchemes", schemes));
}
