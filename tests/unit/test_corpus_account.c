/* What tests/fuzz/fuzz_account.c was started with, and what it has ever found, once more. */
#define LLVMFuzzerTestOneInput fuzz_one
#include "tests/fuzz/fuzz_account.c"

#include "tests/unit/corpus.h"

static void test_corpus(void **state)
{
	(void)state;
	assert_true(corpus_replay("tests/fuzz/corpus/account", fuzz_one) >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
