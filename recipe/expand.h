/*
 * Reads recipe.def and makes of its rows whatever the including file asks for.
 *
 *	TYPE(name, check, sentence, keys)       struct name; check (recipe/check.h) looks at one that has been read
 *
 * where keys are any of these one after another; sizes are caps:
 *
 *	TEXT(name, most bytes, format, sentence)                const char *
 *	TEXTS(name, most items, most bytes, format, sentence)   const char **name; size_t name_count
 *	JSON(name, most bytes, sentence)                        const char *: an object or a list; its strings are templates
 *	NOTE("name", most bytes, sentence)                      no member: a text that is not kept
 *	NUMBER(name, least, most, value if absent, sentence)    int64_t
 *	FLAG(name, sentence)                                    bool
 *	CHOICE(name, "a|b|c", sentence)                         const char *
 *	ONE(name, type, sentence)                               struct type *, NULL if absent
 *	NESTED(name, type, sentence)                            struct type; if absent, all its values are
 *	LIST(name, type, most items, sentence)                  struct type *name; size_t name_count
 *	MAP(name, type, most items, sentence)                   the same, of an object whose names fill NAMED
 *	OPT(key)                                                may be absent
 *	LOCAL(key)                                              never sent to streamd
 *	SENT(key)                                               only sent to streamd, never in a file
 *	NAMED(name)                                             const char *: the name in the MAP; no key
 *	OWN(type, name)                                         a member without a key
 *
 * Passes: EXPAND_STRUCTS (recipe/recipe.h), EXPAND_TABLES (recipe/key.c), EXPAND_CHECKS (recipe/check.c). Macro parameters end in
 * an underscore, for otherwise they would capture the names of designated fields.
 */

#if defined(EXPAND_STRUCTS)

#define TEXT(name_, most_, format_, sentence_) const char *name_;
#define TEXTS(name_, most_, each_, format_, sentence_)                                             \
	const char **name_;                                                                        \
	size_t name_##_count;
#define JSON(name_, most_, sentence_) const char *name_;
#define NOTE(name_, most_, sentence_)
#define NUMBER(name_, least_, most_, absent_, sentence_) int64_t name_;
#define FLAG(name_, sentence_)                           bool name_;
#define CHOICE(name_, words_, sentence_)                 const char *name_;
#define ONE(name_, type_, sentence_)                     struct type_ *name_;
#define NESTED(name_, type_, sentence_)                  struct type_ name_;
#define LIST(name_, type_, most_, sentence_)                                                       \
	struct type_ *name_;                                                                       \
	size_t name_##_count;
#define MAP(name_, type_, most_, sentence_) LIST(name_, type_, most_, sentence_)
#define OPT(...)                            __VA_ARGS__
#define LOCAL(...)                          __VA_ARGS__
#define SENT(...)                           __VA_ARGS__
#define NAMED(name_)                        const char *name_;
#define OWN(type_, name_)                   type_ name_;
#define TYPE(name_, check_, sentence_, keys_)                                                      \
	struct name_ {                                                                             \
		keys_                                                                              \
	};

#elif defined(EXPAND_TABLES)

#define ROW(name_, kind_, ...)                                                                     \
	{ .name = #name_, .kind = kind_, .offset = offsetof(S, name_), __VA_ARGS__ },
#define COUNT(name_) .count_offset = offsetof(S, name_##_count)
#define TEXT(name_, most_, format_, sentence_)                                                     \
	ROW(name_, KEY_TEXT, .most = most_, .format = FORMAT_##format_, .sentence = sentence_)
#define TEXTS(name_, most_, each_, format_, sentence_)                                             \
	ROW(name_, KEY_TEXTS, COUNT(name_), .most = most_, .each = each_,                          \
		.format = FORMAT_##format_, .sentence = sentence_)
#define JSON(name_, most_, sentence_) ROW(name_, KEY_JSON, .most = most_, .format = FORMAT_VALUE, .sentence = sentence_)
#define NOTE(name_, most_, sentence_)                                                              \
	{ .name = name_, .kind = KEY_NOTE, .most = most_, .format = FORMAT_PLAIN, .sentence = sentence_ },
#define NUMBER(name_, least_, most_, absent_, sentence_)                                           \
	ROW(name_, KEY_NUMBER, .least = least_, .most = most_, .absent = absent_,                  \
		.sentence = sentence_)
#define FLAG(name_, sentence_) ROW(name_, KEY_FLAG, .sentence = sentence_)
#define CHOICE(name_, words_, sentence_)                                                           \
	ROW(name_, KEY_CHOICE, .words = words_, .sentence = sentence_)
#define ONE(name_, type_, sentence_) ROW(name_, KEY_ONE, .type = &type_##_type, .sentence = sentence_)
#define NESTED(name_, type_, sentence_)                                                            \
	ROW(name_, KEY_NESTED, .type = &type_##_type, .sentence = sentence_)
#define LIST(name_, type_, most_, sentence_)                                                       \
	ROW(name_, KEY_LIST, COUNT(name_), .type = &type_##_type, .most = most_,                   \
		.sentence = sentence_)
#define MAP(name_, type_, most_, sentence_)                                                        \
	ROW(name_, KEY_MAP, COUNT(name_), .type = &type_##_type, .most = most_,                    \
		.sentence = sentence_)
/* What these wrap may have commas of its own, so the mark is a row before it. */
#define MARKED(mark_, ...) { .kind = KEY_MARK, .least = mark_ }, __VA_ARGS__
#define OPT(...)     MARKED(MARK_OPTIONAL, __VA_ARGS__)
#define LOCAL(...)   MARKED(MARK_LOCAL, __VA_ARGS__)
#define SENT(...)    MARKED(MARK_SENT, __VA_ARGS__)
#define NAMED(name_) ROW(name_, KEY_NAMED, .sentence = "")
#define OWN(type_, name_)
#define TYPE(name_, check_, sentence_, keys_)                                                      \
	static const struct key *name_##_keys(void)                                                \
	{                                                                                          \
		typedef struct name_ S;                                                            \
		static const struct key rows[] = { keys_{ .kind = KEY_END } };                     \
		return sizeof(S) ? rows : rows;                                                    \
	}                                                                                          \
	const struct key_type name_##_type = { .name = #name_,                                     \
		.size = sizeof(struct name_),                                                      \
		.keys = name_##_keys,                                                              \
		.sentence = sentence_ };

#elif defined(EXPAND_CHECKS)

#define TYPE(name_, check_, sentence_, keys_) { #name_, check_ },

#else
#error "say what to expand"
#endif

#include "recipe/recipe.def"

#undef TEXT
#undef TEXTS
#undef JSON
#undef NOTE
#undef NUMBER
#undef FLAG
#undef CHOICE
#undef ONE
#undef NESTED
#undef LIST
#undef MAP
#undef MARKED
#undef OPT
#undef LOCAL
#undef SENT
#undef NAMED
#undef OWN
#undef TYPE
#undef ROW
#undef COUNT
