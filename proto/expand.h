/*
 * Reads a .def file and makes of its rows whatever the including file asks for.
 *
 *	TYPE(name, fields)                                       a struct, for OBJ and LIST_OF
 *	METHOD(name, roles, scope, http, cli, sentence, params, results)
 *	STREAM(name, roles, scope, http, cli, sentence, params, item)   a call that sends items until it ends
 *	RAW(name, roles, scope, http, cli, sentence, params, media, most)   a call whose result is a body of that media type
 *	                                                         and of so many bytes at most: MEMFD(body)
 *	EVENT(name, sentence, fields)                            a notification
 *
 * where roles are bits of enum role, scope is one of enum scope, http is HTTP(VERB, "/path/{field}"), NOHTTP, or READS
 * for what is not public and changes nothing, cli is CLI("words {field}") or NOCLI, and fields are any of these one after
 * another, or NONE:
 *
 *	STR(name, most bytes, sentence)         const char *, UTF-8, at least one byte
 *	SECRET(name, most bytes, sentence)      the same, shown as dots in logs
 *	INT(name, least, most, sentence)        int64_t
 *	REAL(name, least, most, sentence)       double
 *	BOOL(name, sentence)                    bool
 *	ENUM(name, "a|b|c", sentence)           const char *, one of them
 *	JSON(name, most bytes, sentence)        json_t *: an object that another layer checks
 *	STRS(name, most items, most bytes, sentence)    const char **name; size_t name_count
 *	OBJ(name, type, sentence)               struct type *
 *	LIST_OF(name, type, most items, sentence)       struct type *name; size_t name_count
 *	MEMFD(name, most bytes, sentence)       int: a sealed memfd beside the frame, -1 if absent; one per message
 *	HANDLE(name, sentence)                  int: any other descriptor beside the frame
 *	OPT(field)                              may be absent, and is then zero (NULL, false, -1); zero is not sent
 *
 * The same rows are read in passes, each of which defines the macros anew; the file that includes this one says by
 * EXPAND_... which pass it wants, and in DEF which file. There is no include guard on purpose.
 *
 *	EXPAND_STRUCTS   structs, descriptors, typed stubs: proto/<daemon>.h
 *	EXPAND_TABLES    field tables and descriptors, and with DAEMON defined the list of them: proto/<daemon>.c
 *	EXPAND_HANDLERS  the handlers' prototypes: <daemon>/handlers.h
 *	EXPAND_DISPATCH  the rows that lead to the handlers: <daemon>/dispatch.c
 *
 * Macro parameters end in an underscore, for otherwise they would capture the names of designated fields.
 */
#include "proto/peer.h"

#ifndef EXPAND_TABLES
#define RAW(name_, roles_, scope_, http_, cli_, sentence_, params_, media_, most_)                 \
	METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, MEMFD(body, most_, ""))
#endif

#if defined(EXPAND_STRUCTS)

#define STR(name_, most_, sentence_)          const char *name_;
#define SECRET(name_, most_, sentence_)       const char *name_;
#define INT(name_, least_, most_, sentence_)  int64_t name_;
#define REAL(name_, least_, most_, sentence_) double name_;
#define BOOL(name_, sentence_)                bool name_;
#define ENUM(name_, words_, sentence_)        const char *name_;
#define JSON(name_, most_, sentence_)         json_t *name_;
#define STRS(name_, most_, each_, sentence_)                                                       \
	const char **name_;                                                                        \
	size_t name_##_count;
#define OBJ(name_, type_, sentence_) struct type_ *name_;
#define LIST_OF(name_, type_, most_, sentence_)                                                    \
	struct type_ *name_;                                                                       \
	size_t name_##_count;
#define MEMFD(name_, most_, sentence_) int name_;
#define HANDLE(name_, sentence_)       int name_;
#define OPT(...)                       __VA_ARGS__
#define NONE

#define TYPE(name_, fields_)                                                                       \
	struct name_ {                                                                             \
		fields_                                                                            \
	};
#define METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, results_)                   \
	struct name_##_params {                                                                    \
		params_                                                                            \
	};                                                                                         \
	struct name_##_result {                                                                    \
		results_                                                                           \
	};                                                                                         \
	extern const struct method method_##name_;                                                 \
	static inline int call_##name_(struct call *call, struct peer *peer,                       \
		const struct name_##_params *params, struct name_##_result *ret)                   \
	{                                                                                          \
		return peer_call(peer, call, &method_##name_, params, ret);                        \
	}
#define STREAM(name_, roles_, scope_, http_, cli_, sentence_, params_, item_)                      \
	struct name_##_params {                                                                    \
		params_                                                                            \
	};                                                                                         \
	struct name_##_item {                                                                      \
		item_                                                                              \
	};                                                                                         \
	extern const struct method method_##name_;                                                 \
	static inline int open_##name_(struct call *call, struct peer *peer,                       \
		const struct name_##_params *params, struct peer_stream **ret)                     \
	{                                                                                          \
		return peer_stream_open(peer, call, &method_##name_, params, ret);                 \
	}                                                                                          \
	static inline int next_##name_(                                                            \
		struct peer_stream *stream, struct name_##_item *ret, int64_t deadline)            \
	{                                                                                          \
		return peer_stream_next(stream, ret, deadline);                                    \
	}                                                                                          \
	static inline int send_##name_(struct call *call, const struct name_##_item *item)         \
	{                                                                                          \
		return call_send_item(call, item);                                                 \
	}
#define EVENT(name_, sentence_, fields_)                                                           \
	struct name_##_event {                                                                     \
		fields_                                                                            \
	};                                                                                         \
	extern const struct method method_##name_;

#elif defined(EXPAND_TABLES)

#define ROW(name_, kind_, ...)                                                                     \
	{ .name = #name_, .kind = kind_, .offset = offsetof(S, name_), __VA_ARGS__ },
#define COUNT(name_)                 .count_offset = offsetof(S, name_##_count)
#define STR(name_, most_, sentence_) ROW(name_, FIELD_STR, .most = most_, .sentence = sentence_)
#define SECRET(name_, most_, sentence_)                                                            \
	ROW(name_, FIELD_SECRET, .most = most_, .sentence = sentence_)
#define INT(name_, least_, most_, sentence_)                                                       \
	ROW(name_, FIELD_INT, .least = least_, .most = most_, .sentence = sentence_)
#define REAL(name_, least_, most_, sentence_)                                                      \
	ROW(name_, FIELD_REAL, .least = least_, .most = most_, .sentence = sentence_)
#define BOOL(name_, sentence_) ROW(name_, FIELD_BOOL, .sentence = sentence_)
#define ENUM(name_, words_, sentence_)                                                             \
	ROW(name_, FIELD_ENUM, .words = words_, .sentence = sentence_)
#define JSON(name_, most_, sentence_) ROW(name_, FIELD_JSON, .most = most_, .sentence = sentence_)
#define STRS(name_, most_, each_, sentence_)                                                       \
	ROW(name_, FIELD_STRS, COUNT(name_), .most = most_, .each = each_, .sentence = sentence_)
#define OBJ(name_, type_, sentence_)                                                               \
	ROW(name_, FIELD_OBJ, .type = type_##_fields, .size = sizeof(struct type_),                \
		.sentence = sentence_)
#define LIST_OF(name_, type_, most_, sentence_)                                                    \
	ROW(name_, FIELD_LIST, COUNT(name_), .type = type_##_fields, .size = sizeof(struct type_), \
		.most = most_, .sentence = sentence_)
#define MEMFD(name_, most_, sentence_) ROW(name_, FIELD_MEMFD, .most = most_, .sentence = sentence_)
#define HANDLE(name_, sentence_)       ROW(name_, FIELD_HANDLE, .sentence = sentence_)
/* What OPT wraps may have commas of its own, so the mark is a row before it. */
#define OPT(...) { .kind = FIELD_OPTIONAL }, __VA_ARGS__
#define NONE

#define HTTP(verb_, path_) .verb = #verb_, .path = path_,
#define NOHTTP
#define READS .reads = true,
#define CLI(words_) .cli = words_,
#define NOCLI

#define FIELDS(function_, struct_, ...)                                                            \
	static const struct field *function_(void)                                                 \
	{                                                                                          \
		typedef struct_ S;                                                                 \
		static const struct field rows[] = { __VA_ARGS__{ .kind = FIELD_END } };              \
		return sizeof(S) ? rows : rows;                                                    \
	}
#define TYPE(name_, fields_) FIELDS(name_##_fields, struct name_, fields_)
#define CALL(name_, roles_, scope_, sentence_, ...)                                                \
	const struct method method_##name_ = { .name = #name_,                                     \
		.roles = roles_,                                                                   \
		.scope = SCOPE_##scope_,                                                           \
		.sentence = sentence_,                                                             \
		.params = name_##_params_fields,                                                   \
		.params_size = sizeof(struct name_##_params),                                      \
		.result = name_##_result_fields,                                                   \
		.result_size = sizeof(struct name_##_result),                                      \
		__VA_ARGS__ };
#define METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, results_)                   \
	FIELDS(name_##_params_fields, struct name_##_params, params_)                              \
	FIELDS(name_##_result_fields, struct name_##_result, results_)                             \
	CALL(name_, roles_, scope_, sentence_, http_ cli_)
#define RAW(name_, roles_, scope_, http_, cli_, sentence_, params_, media_, most_)                 \
	FIELDS(name_##_params_fields, struct name_##_params, params_)                              \
	FIELDS(name_##_result_fields, struct name_##_result, MEMFD(body, most_, "The body."))      \
	CALL(name_, roles_, scope_, sentence_, .media = media_, http_ cli_)
#define STREAM(name_, roles_, scope_, http_, cli_, sentence_, params_, item_)                      \
	FIELDS(name_##_params_fields, struct name_##_params, params_)                              \
	FIELDS(name_##_item_fields, struct name_##_item, item_)                                    \
	const struct method method_##name_ = { .name = #name_,                                     \
		.roles = roles_,                                                                   \
		.scope = SCOPE_##scope_,                                                          \
		http_ cli_.sentence = sentence_,                                                   \
		.streams = true,                                                                   \
		.params = name_##_params_fields,                                                   \
		.params_size = sizeof(struct name_##_params),                                      \
		.result = name_##_item_fields,                                                     \
		.result_size = sizeof(struct name_##_item) };
#define EVENT(name_, sentence_, fields_)                                                           \
	FIELDS(name_##_event_fields, struct name_##_event, fields_)                                \
	const struct method method_##name_ = { .name = #name_,                                     \
		.sentence = sentence_,                                                             \
		.event = true,                                                                     \
		.params = name_##_event_fields,                                                    \
		.params_size = sizeof(struct name_##_event) };

#elif defined(EXPAND_LIST)

#define TYPE(name_, fields_)
#define METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, results_) &method_##name_,
#define STREAM(name_, roles_, scope_, http_, cli_, sentence_, params_, item_)    &method_##name_,
#define EVENT(name_, sentence_, fields_)                                         &method_##name_,

#elif defined(EXPAND_HANDLERS)

#define TYPE(name_, fields_)
#define METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, results_)                   \
	int name_(struct call *call, const struct name_##_params *params,                          \
		struct name_##_result *result);
#define STREAM(name_, roles_, scope_, http_, cli_, sentence_, params_, item_)                      \
	int name_(struct call *call, const struct name_##_params *params);
#define EVENT(name_, sentence_, fields_)

#elif defined(EXPAND_THUNKS)

/* A handler has typed arguments; the dispatch row needs one type for all, and casts of functions are not portable. */
#define TYPE(name_, fields_)
#define METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, results_)                   \
	static int thunk_##name_(struct call *call, const void *params, void *result)              \
	{                                                                                          \
		return name_(call, params, result);                                                \
	}
#define STREAM(name_, roles_, scope_, http_, cli_, sentence_, params_, item_)                      \
	static int thunk_##name_(struct call *call, const void *params, void *)                    \
	{                                                                                          \
		return name_(call, params);                                                        \
	}
#define EVENT(name_, sentence_, fields_)

#elif defined(EXPAND_DISPATCH)

#define TYPE(name_, fields_)
#define METHOD(name_, roles_, scope_, http_, cli_, sentence_, params_, results_)                   \
	{ &method_##name_, thunk_##name_ },
#define STREAM(name_, roles_, scope_, http_, cli_, sentence_, params_, item_)                      \
	{ &method_##name_, thunk_##name_ },
#define EVENT(name_, sentence_, fields_)

#else
#error "say what to expand"
#endif

#include DEF

#undef TYPE
#undef METHOD
#undef STREAM
#undef EVENT
#undef STR
#undef SECRET
#undef INT
#undef REAL
#undef BOOL
#undef ENUM
#undef JSON
#undef STRS
#undef OBJ
#undef LIST_OF
#undef MEMFD
#undef HANDLE
#undef OPT
#undef NONE
#undef HTTP
#undef NOHTTP
#undef READS
#undef RAW
#undef CALL
#undef CLI
#undef NOCLI
#undef ROW
#undef COUNT
#undef FIELDS

#if defined(EXPAND_TABLES) && defined(DAEMON)
#undef EXPAND_TABLES
#define EXPAND_LIST
static const struct method *const methods[] = {
#include "proto/expand.h"
};
#undef EXPAND_LIST
#define EXPAND_TABLES

#define LIST_NAMED(name_)      name_##_methods
#define LIST_OF_DAEMON(name_)  LIST_NAMED(name_)
#define DAEMON_NAMED(name_)    #name_
#define NAME_OF_DAEMON(name_)  DAEMON_NAMED(name_)
const struct method_list LIST_OF_DAEMON(DAEMON) = { NAME_OF_DAEMON(DAEMON), methods, sizeof(methods) / sizeof(*methods) };
#undef LIST_NAMED
#undef LIST_OF_DAEMON
#undef DAEMON_NAMED
#undef NAME_OF_DAEMON
#endif
