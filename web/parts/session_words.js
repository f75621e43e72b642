/*
 * What can be said of a session at this moment. That it works is known of the moment in which the site showed it, and of no
 * later one: sites end sessions that nobody uses, and tell nobody. So it is said as what it is, with the time, and with how long
 * sign-ins have lived there.
 */
import { ago } from "./time.js";
import { healthWords } from "./words.js";

const FRESH_MS = 120000; /* "works", and not "worked" */
const UNITS = [["day", 86400000], ["hour", 3600000], ["minute", 60000], ["second", 1000]];

/* "3 days": of its largest unit that is there at least once. */
export function span(ms)
{
	const [unit, size] = UNITS.find(([, one]) => ms >= one) ?? UNITS.at(-1);
	const n = Math.max(1, Math.round(ms / size));

	return `${n} ${unit}${n === 1 ? "" : "s"}`;
}

/* How long sign-ins have lived whose end was seen, or null when none was. */
export function livedWords({ lived_least_ms: least = 0, lived_most_ms: most = 0 })
{
	if (!most)
		return null;
	if (least < 60000)
		return `at most ${span(most)}`;
	return span(least) === span(most) ? `about ${span(most)}` : `${span(least)} to ${span(most)}`;
}

/*
 * Whether others that were left alone as long, or lived as long, had ended by then. One that was proved when it was older than any of
 * those shows that they had not come to a limit.
 */
function mayHaveEnded({ ended_unproved_ms: unproved, lived_most_ms: most, signed_in_at_ms: since, proved_at_ms: proved }, now)
{
	return Boolean((unproved && now - proved >= unproved) || (most && since && proved - since < most && now - since >= most));
}

function workingWords(session, now)
{
	if (mayHaveEnded(session, now))
		return { badge: ["May have ended", "warn"],
			reason: `The site last showed that it works ${ago(session.proved_at_ms, now)}; sign-ins have ended after as long.` };
	if (now - session.proved_at_ms < FRESH_MS)
		return { badge: ["Works", "ok"] };
	return { badge: [`Worked ${ago(session.proved_at_ms, now)}`, "ok"] };
}

/*
 * { badge, reason }. stale: what is shown could not be fetched again; locked: the vault opens nothing.
 */
export function sessionWords(session, { now, stale, locked })
{
	if (stale)
		return { badge: ["Not known just now", "quiet"], reason: session.reason };
	if (locked)
		return { badge: ["Cannot be used just now", "warn"], reason: locked };
	return session.health === "working" ? workingWords(session, now)
		: { badge: healthWords(session), reason: session.reason };
}
