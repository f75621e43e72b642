/*
 * The first administrator: made from ADMIN_USER and ADMIN_PASS, or from the service manager's credentials admin-user
 * and admin-pass ($CREDENTIALS_DIRECTORY, systemd.exec(5)), when there is no account yet.
 */
#pragma once

/*
 * Of a fiber of its own: reads name and password, takes them out of the environment, and tries, at once whenever the database is
 * back, until there is nothing left to do.
 */
void first_admin_run(void *authd);
