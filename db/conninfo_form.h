/* What a connection string looks like: whether libpq understands it. */
#pragma once

struct setting_form;

extern const struct setting_form form_database;
