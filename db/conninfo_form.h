/* What a connection string looks like: whether libpq understands it. */
#ifndef STEAD_DB_CONNINFO_FORM_H
#define STEAD_DB_CONNINFO_FORM_H

struct setting_form;

extern const struct setting_form form_database;

#endif
