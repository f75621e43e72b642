/*
 * The first administrator: made from ADMIN_USER and ADMIN_PASS, or from the service manager's credentials admin-user
 * and admin-pass ($CREDENTIALS_DIRECTORY, systemd.exec(5)), when there is no account yet.
 */
#pragma once

struct authd;
struct first_admin;

/* Reads name and password, takes them out of the environment, and starts trying as soon as the loop runs. */
struct first_admin *first_admin_new(struct authd *a);

/* The database is there (again): try now. */
void first_admin_wake(struct first_admin *f);

/* In a fiber: stops trying. */
void first_admin_stop(struct first_admin *f);

/* After first_admin_stop(). Takes NULL, returns NULL. */
struct first_admin *first_admin_free(struct first_admin *f);
