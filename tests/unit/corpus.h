/* Gives every file of a fuzzer's corpus to the function that fuzzes; a crash is the failure. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* How many files there were. The directory is relative to the repository's root, where tests are run. */
static size_t corpus_replay(const char *directory, int (*fuzz)(const uint8_t *data, size_t size))
{
	DIR *d = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		static uint8_t whole[1 << 16];
		char path[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		size_t n = fread(whole, 1, sizeof(whole), f);
		fclose(f);
		uint8_t *exact = malloc(n ? n : 1);
		for (size_t i = 0; i < n; i++)
			exact[i] = whole[i];
		fuzz(exact, n);
		free(exact);
		count++;
	}
	closedir(d);
	return count;
}
