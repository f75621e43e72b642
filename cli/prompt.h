/* Asking for a secret. */
#pragma once

/*
 * On a terminal asks "Password: " without echo; else reads one line of standard input. To be cleansed and freed. NULL
 * after saying that nothing came.
 */
char *prompt_secret(const char *name);
