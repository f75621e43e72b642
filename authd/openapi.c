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

static json_t *openapi_text_schema(int64_t most)
{
	return must(json_pack("{ss si sI}", "type", "string", "minLength", 1, "maxLength", (json_int_t)most));
}

static json_t *enum_schema(const char *words)
{
	json_t *schema = openapi_typed("string"), *list = must(json_array());
	struct span rest = span_of(words), word;

	while (span_next(&rest, "|", &word))
		openapi_append(list, json_stringn(word.p, word.n));
	openapi_put(schema, "enum", list);
	return schema;
}

static json_t *int_schema(const struct field *f)
{
	json_t *schema = openapi_typed("integer");

	openapi_put(schema, "format", json_string("int64"));
	if (f->least != INT64_MIN)
		openapi_put(schema, "minimum", json_integer(f->least));
	if (f->most != INT64_MAX)
		openapi_put(schema, "maximum", json_integer(f->most));
	return schema;
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

static json_t *secret_schema(const struct field *f)
{
	json_t *schema = openapi_text_schema(f->most);

	openapi_put(schema, "format", json_string("password"));
	return schema;
}

static json_t *field_schema(const struct field *f)
{
	switch (f->kind) {
	case FIELD_STR: return openapi_text_schema(f->most);
	case FIELD_SECRET: return secret_schema(f);
	case FIELD_INT: return int_schema(f);
	case FIELD_REAL: return real_schema(f);
	case FIELD_BOOL: return openapi_typed("boolean");
	case FIELD_ENUM: return enum_schema(f->words);
	case FIELD_JSON: return openapi_typed("object");
	case FIELD_STRS: return list_schema(openapi_text_schema(f->each), f->most);
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

/* Calls fn for each real field, with whether it may be absent. */
static void each_field(const struct field *rows, void (*fn)(const struct field *f, bool optional, void *arg), void *arg)
{
	bool optional = false;

	for (; rows->kind != FIELD_END; rows++) {
		if (rows->kind != FIELD_OPTIONAL)
			fn(rows, optional, arg);
		optional = rows->kind == FIELD_OPTIONAL;
	}
}

/* A schema in the making; path: fields that stand in it are left out. */
struct shape {
	json_t *properties, *required;
	const char *path;
};

static bool in_path(const char *path, const char *name)
{
	char braced[80];

	exact_must(braced, sizeof(braced), "{%s}", name);
	return path && strstr(path, braced);
}

static void add_property(const struct field *f, bool optional, void *arg)
{
	struct shape *s = arg;

	if (in_path(s->path, f->name))
		return;
	openapi_put(s->properties, f->name, described(f));
	if (!optional)
		openapi_append(s->required, json_string(f->name));
}

static json_t *shape_schema(const struct field *rows, const char *path)
{
	struct shape s = { must(json_object()), must(json_array()), path };
	json_t *schema = openapi_typed("object");

	each_field(rows, add_property, &s);
	openapi_put(schema, "properties", s.properties);
	if (json_array_size(s.required))
		openapi_put(schema, "required", s.required);
	else
		json_decref(s.required);
	openapi_put(schema, "additionalProperties", json_false());
	return schema;
}

static json_t *object_schema(const struct field *rows)
{
	return shape_schema(rows, NULL);
}

/* An operation in the making. */
struct operation {
	const struct method *method;
	json_t *parameters;
	bool in_body; /* what is not in the path goes into the body, else into the query */
};

static void openapi_add_parameter(const struct field *f, bool optional, void *arg)
{
	struct operation *o = arg;
	bool path = in_path(o->method->path, f->name);
	json_t *parameter;

	if (!path && o->in_body)
		return;
	parameter = must(json_pack("{ss ss ss sb so}", "name", f->name, "in", path ? "path" : "query", "description",
		f->sentence, "required", path || !optional, "schema", field_schema(f)));
	openapi_append(o->parameters, parameter);
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
	struct operation o = { m, must(json_array()), strcmp(m->verb, "GET") != 0 };
	json_t *operation = must(json_pack("{ss ss s[s]}", "operationId", m->name, "summary", m->sentence, "tags",
		route->daemon));

	each_field(m->params(), openapi_add_parameter, &o);
	if (json_array_size(o.parameters))
		openapi_put(operation, "parameters", o.parameters);
	else
		json_decref(o.parameters);
	if (o.in_body)
		openapi_put(operation, "requestBody",
			json_pack("{sb so}", "required", 1, "content",
				json_content(shape_schema(m->params(), m->path))));
	openapi_put(operation, "responses", responses_of(m, o.in_body));
	if (m->scope == SCOPE_ANYONE)
		openapi_put(operation, "security", json_array());
	if (m->scope >= SCOPE_ADMIN_READ)
		openapi_put(operation, "description", json_string("For administrators."));
	return operation;
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
