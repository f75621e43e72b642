/* What tests/fuzz/fuzz_cdp.c was started with, and what it has ever found, once more. */
#define LLVMFuzzerTestOneInput fuzz_one
#include "tests/fuzz/fuzz_cdp.c"

#include "tests/unit/corpus.h"

static void test_corpus(void **state)
{
	(void)state;
	assert_true(corpus_replay("tests/fuzz/corpus/cdp", fuzz_one) >= 9);
	recipe = recipe_unref(recipe);
	loop_deinit();
	fiber_drop_stacks();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
