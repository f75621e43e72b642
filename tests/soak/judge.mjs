/*
 * What Stead says of each booking under fire, beside what the site has counted and who was killed when.
 *
 *	judge(all, rows, { asked, bookings }, fallen)
 *
 * all: what was asked for, { id, desk, space, date, dark }; rows: by id, as botd's database has them (ROWS); asked, bookings: what
 * the site was asked to book, and what stands there; fallen: { name, from, to }, each kill and by when it had happened, in ms.
 */

/* Of the last intent, and of the first line of the log after it: by then Stead had been told what became of it, or had begun anew. */
export const ROWS = `SELECT coalesce(json_object_agg(b.id, json_build_object('state', state, 'outcome', outcome, 'reason', reason,
	'intent_ms', extract(epoch FROM intent_at) * 1000,
	'known_ms', (SELECT extract(epoch FROM min(at)) * 1000 FROM jobs.lines WHERE job_id = b.id AND at > intent_at))), '{}')
	FROM jobs.bookings b JOIN jobs.jobs j ON j.id = b.id`;

/* Who stands between a booking's intent and its first byte; authd and sessiond do not. */
const IN_ITS_WAY = ["botd", "streamd", "launcher", "Chromium", "PostgreSQL"];

/* Of a booking that is unconfirmed, and that the site was never asked for: what is wrong with that; null if nothing is. */
function wrongUnsent({ intent_ms: intent, known_ms: known }, fallen)
{
	if (!intent)
		return "although it had no intent";
	if (fallen.some(({ name, from, to }) => IN_ITS_WAY.includes(name) && to >= intent && from <= (known ?? Infinity)))
		return null;
	return `although nobody in its way was killed between its intent (${new Date(intent).toISOString()}) and ${
		known ? new Date(known).toISOString() : "the end"}`;
}

export function judge(all, rows, { asked, bookings }, fallen)
{
	const found = { bookings: all.length, booked: 0, unconfirmed_unsent: 0, unconfirmed_dark: 0, wrong: [] };

	for (const wish of all) {
		const row = rows[wish.id], { outcome, reason } = row;
		const sent = asked.filter(({ spaceId, date }) => Number(spaceId) === wish.space && date === wish.date).length;
		const stands = bookings.filter(({ desk, date }) => desk === wish.desk && date === wish.date).length;
		const unsent = outcome === "unconfirmed" && sent === 0, why = unsent && wrongUnsent(row, fallen);

		if (sent > 1 || stands > 1)
			found.wrong.push(`${wish.id}: submitted ${sent} times, stands ${stands} times`);
		else if (outcome === "booked" && stands === 1)
			found.booked++;
		else if (unsent && !why)
			found.unconfirmed_unsent++;
		else if (outcome === "unconfirmed" && wish.dark && stands === 1)
			found.unconfirmed_dark++;
		else
			found.wrong.push(`${wish.id} (${wish.desk} on ${wish.date}): ${outcome}${why ? `, ${why}` : ""}: ${reason}; submitted ${
				sent} times, stands ${stands} times`);
	}
	return found;
}
