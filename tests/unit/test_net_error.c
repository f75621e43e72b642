/* Every network error has words; the ones that a recipe or a site causes have words of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "streamd/browser/net_error.h"

static void has_words(void **state)
{
	(void)state;
	assert_string_equal(net_error_words("net::ERR_NAME_NOT_RESOLVED"), "there is no such host");
	assert_non_null(strstr(net_error_words("net::ERR_TUNNEL_CONNECTION_FAILED"), "recipe"));
	assert_non_null(strstr(net_error_words("net::ERR_CERT_AUTHORITY_INVALID"), "certificate"));
	assert_string_equal(net_error_words("net::ERR_CONNECTION_TIMED_OUT"), net_error_words("net::ERR_TIMED_OUT"));
	assert_string_not_equal(net_error_words("net::ERR_CONNECTION_RESET"), net_error_words("net::ERR_TIMED_OUT"));
}

static void unknown_has_words_too(void **state)
{
	(void)state;
	assert_string_equal(net_error_words("net::ERR_SOMETHING_NEW"), "the browser could not load it");
	assert_string_equal(net_error_words(""), net_error_words(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(has_words), cmocka_unit_test(unknown_has_words_too) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
