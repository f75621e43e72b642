#include "common/setting_forms.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/egress_rule.h"
#include "common/origin.h"
#include "common/settings.h"

#define KEY_HASH 44 /* base64 of 32 bytes, with one '=' */

const char *key_hash_wrong(const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (strlen(text) == KEY_HASH && text[KEY_HASH - 1] == '=' && strspn(text, base64) == KEY_HASH - 1)
		return NULL;
	return "it must be the SHA-256 of a public key in base64: 44 characters, the last of them =";
}

const char *user_uid(const char *user, uid_t *ret)
{
	bool number = *user && strspn(user, "0123456789") == strlen(user);
	unsigned long uid = number ? strtoul(user, NULL, 10) : geteuid();
	const struct passwd *entry;

	if (!*user)
		return "it must name a user";
	if (!number && strcmp(user, "self") != 0) {
		entry = getpwnam(user);
		if (!entry)
			return "there is no such user; name another, or make it (systemd-sysusers stead.conf)";
		uid = entry->pw_uid;
	}
	if (uid >= (uid_t)-1) /* -1 is "unknown", which nobody may be */
		return "there is no such uid";
	*ret = (uid_t)uid;
	return NULL;
}

static const char *user_wrong(const char *text)
{
	uid_t uid;

	return user_uid(text, &uid);
}

static const char *path_wrong(const char *text)
{
	return *text == '/' ? NULL : "it must be a whole path, which begins with a slash";
}

static const char *path_or_none_wrong(const char *text)
{
	return *text ? path_wrong(text) : NULL;
}

static const char *directories_wrong(const char *text)
{
	while (*text == '/') {
		text += strcspn(text, ":");
		if (!*text)
			return NULL;
		text++;
	}
	return "each directory must be a whole path, which begins with a slash, with one colon between two of them";
}

const struct setting_form form_origin = { .wrong = origin_check, .example = "https://stead.example.org" };
const struct setting_form form_user = { .wrong = user_wrong, .example = "stead-authd" };
const struct setting_form form_directories = { .wrong = directories_wrong, .example = "/etc/stead/sites:/usr/share/stead/sites" };
const struct setting_form form_path = { .wrong = path_wrong, .example = "/usr/lib/chromium/chromium" };
const struct setting_form form_path_or_none = { .wrong = path_or_none_wrong, .example = "/etc/stead/master-key" };
const struct setting_form form_pin = { .wrong = egress_pin_wrong, .example = "gateway.example.org=10.0.0.7:8443" };
const struct setting_form form_key = { .wrong = key_hash_wrong,
	.example = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" };
