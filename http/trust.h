/* Whose certificates are believed (private to http/). */
#pragma once

#include "http/transfer.h"

/*
 * Those of the authorities that the system knows, for the host that was asked; and, whatever else is wrong with it, the one of a
 * key that the settings trust, as a gateway's own: the browsers do the same.
 */
void trust_of(struct transfer *t);
