/*
 * Reads the .def file named by SETTINGS_DEF, whose rows are
 *
 *	TEXT(name, "default" or NULL, form, "sentence")
 *	NUMBER(name, default, least, most, "sentence")
 *	WORDS(name, form, "sentence")
 *	SHARED_TEXT, SHARED_WORDS: likewise, where several daemons must agree
 *
 * (forms are in common/setting_forms.h) and makes `struct SETTINGS_NAME { ... }` or, with SETTINGS_ROWS defined, the
 * function that returns its rows. No include guard: a settings.h and a settings.c each read it once.
 */
#include "common/setting_forms.h"
#include "common/settings.h"

#ifndef SETTINGS_ROWS

#define TEXT(name, default_, form_, sentence_)              char *name;
#define NUMBER(name, default_, least_, most_, sentence_)    int64_t name;
#define WORDS(name, form_, sentence_)                       struct words name;
#define SHARED_TEXT(name, default_, form_, sentence_)       char *name;
#define SHARED_WORDS(name, form_, sentence_)                struct words name;
struct SETTINGS_NAME {
#include SETTINGS_DEF
};

#else

#define TEXT(name_, default_, form_, sentence_)                                                    \
	{ .name = #name_,                                                                          \
		.kind = SETTING_TEXT,                                                              \
		.offset = offsetof(struct SETTINGS_NAME, name_),                                   \
		.text = default_,                                                                  \
		.form = &(form_),                                                                  \
		.sentence = sentence_ },
#define NUMBER(name_, default_, least_, most_, sentence_)                                          \
	{ .name = #name_,                                                                          \
		.kind = SETTING_NUMBER,                                                            \
		.offset = offsetof(struct SETTINGS_NAME, name_),                                   \
		.number = default_,                                                                \
		.least = least_,                                                                   \
		.most = most_,                                                                     \
		.sentence = sentence_ },
#define WORDS(name_, form_, sentence_)                                                             \
	{ .name = #name_,                                                                          \
		.kind = SETTING_WORDS,                                                             \
		.offset = offsetof(struct SETTINGS_NAME, name_),                                   \
		.form = &(form_),                                                                  \
		.sentence = sentence_ },
#define SHARED_TEXT(name_, default_, form_, sentence_)                                             \
	{ .name = #name_,                                                                          \
		.kind = SETTING_TEXT,                                                              \
		.offset = offsetof(struct SETTINGS_NAME, name_),                                   \
		.text = default_,                                                                  \
		.shared = true,                                                                    \
		.form = &(form_),                                                                  \
		.sentence = sentence_ },
#define SHARED_WORDS(name_, form_, sentence_)                                                      \
	{ .name = #name_,                                                                          \
		.kind = SETTING_WORDS,                                                             \
		.offset = offsetof(struct SETTINGS_NAME, name_),                                   \
		.shared = true,                                                                    \
		.form = &(form_),                                                                  \
		.sentence = sentence_ },
const struct setting *SETTINGS_ROWS(void)
{
	static const struct setting rows[] = {
#include SETTINGS_DEF
		{ 0 }
	};

	return rows;
}

#endif

#undef TEXT
#undef NUMBER
#undef WORDS
#undef SHARED_TEXT
#undef SHARED_WORDS
