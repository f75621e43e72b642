#include "common/retry_after.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t retry_after_ms(const char *value, int64_t now_ms)
{
	struct tm tm = { 0 };
	const char *end;
	int64_t ms;

	if (!value || !*value)
		return 0;
	if (strspn(value, "0123456789") == strlen(value)) {
		ms = strlen(value) > 9 ? RETRY_AFTER_MOST_MS : strtoll(value, NULL, 10) * 1000;
	} else {
		end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		if (!end || *end)
			return 0;
		ms = (int64_t)timegm(&tm) * 1000 - now_ms;
	}
	return ms < 0 ? 0 : ms > RETRY_AFTER_MOST_MS ? RETRY_AFTER_MOST_MS : ms;
}
