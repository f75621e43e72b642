#include "sessiond/name.h"

#include <inttypes.h>
#include <string.h>

bool name_is_device(const struct session_name *name)
{
	return name->fingerprint != NULL;
}

const char *name_shown(struct call *call, const struct session_name *name)
{
	return name->site ?: arena_printf(call->arena, "session %" PRId64, name->session);
}

int name_check(struct call *call, const struct session_name *name)
{
	bool device = name->kind && strcmp(name->kind, "device") == 0;

	if (!name->session && !name->site)
		return call_refuse(call, ERR_invalid, "site", "Say which session is meant: by its number, or by its site.");
	if (name->session && (name->kind || name->fingerprint))
		return call_refuse(call, ERR_invalid, "kind", "A session that is named by its number is not named by kind and fingerprint as well.");
	if (device && !name->fingerprint)
		return call_refuse(call, ERR_invalid, "fingerprint", "A device's session is named by its fingerprint; give that as well.");
	if (!device && name->fingerprint)
		return call_refuse(call, ERR_invalid, "fingerprint",
			"Only a device's session has a fingerprint that can be named; say kind \"device\" as well, or leave it out.");
	if (device && strncmp(name->fingerprint, NAME_RESERVED, strlen(NAME_RESERVED)) == 0)
		return call_refuse(call, ERR_invalid, "fingerprint",
			"What begins with \"" NAME_RESERVED "\" is the vault's own name for a background session; take another fingerprint.");
	return 0;
}
