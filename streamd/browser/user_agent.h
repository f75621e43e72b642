/*
 * What Chromium says it is, remembered from one start to the next: the launcher need not ask it for its version each
 * time (50 to 100 ms). Forgotten when the file changes, for an upgrade changes the version.
 */
#pragma once

/* What was kept for the program at that path, or NULL: nothing, or it is another file by now. */
const char *user_agent_known(const char *chromium);

/* Keeps a copy; one program's at a time. */
void user_agent_keep(const char *chromium, const char *user_agent);
