/* The nth row of a result, from 0: a test looks at them as it likes. */
#pragma once

#include "db/result.h"

static inline struct db_result *db_row(struct db_result *res, int n)
{
	while (db_next(res)) /* behind the last, it begins anew */
		;
	for (int i = 0; i <= n; i++)
		assert_true(db_next(res));
	return res;
}

#define ROW(res_, n_) db_row(res_, n_)
