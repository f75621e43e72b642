#include "proto/method.h"

#include <string.h>

bool method_reads(const struct method *method)
{
	return method->reads || method->streams || (method->verb && strcmp(method->verb, "GET") == 0);
}
