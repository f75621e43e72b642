/*
 * What is left of a password when everything is taken out of it that is tried first: common passwords and words
 * (blocklist.txt), the account's and the host's names, repetitions, sequences and walks over the keyboard.
 *
 * A list of whole passwords would be of little use here: at 15 characters and more, what people choose badly is such
 * pieces strung together. Required by NIST SP 800-63B-4 section 3.1.1.2 and OWASP ASVS 5, 6.2.4. Pure.
 */
#pragma once

#include <stddef.h>

/*
 * A piece that is known counts 3 the first time (one's own 1) and nothing again; any other character counts 1. So three
 * known pieces alone are refused, four different ones pass, and so does one with seven characters nobody knows.
 */
#define BLOCKLIST_LEAST_WORTH 10

/* own ends with NULL; words of it below three letters are passed over. */
unsigned blocklist_worth(const char *password, const char *const *own);

/* How many entries the list has, and the nth (not NUL-terminated). For tests. */
size_t blocklist_count(void);
const char *blocklist_entry(size_t n, size_t *ret_length);
