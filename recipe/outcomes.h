/* How a booking can end. The words are those of proto/botd.def. */
#pragma once

#define OUTCOME_WORDS "booked|waitlisted|full|too_early|no_credit|already_booked|limit|unconfirmed|failed"
