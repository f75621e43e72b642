/* Bookings as a person looks for them: what needs them, what is coming, day by day, and what is over. */

const DAY = /^\d{4}-\d\d-\d\d$/;

/* The day that it is for, as "2025-11-20", or "": the input that its recipe calls a date, or what looks like one. */
export function bookingDay(booking, sites)
{
	const inputs = booking.inputs ?? {};
	const action = sites?.find((site) => site.name === booking.site)?.actions.find((one) => one.name === booking.action);
	const named = action?.inputs.find((input) => input.type === "date" && DAY.test(inputs[input.name]));

	return named ? inputs[named.name] : Object.values(inputs).find((value) => DAY.test(value)) ?? "";
}

/* Waits for the person, or may have been booked without anybody knowing. */
function needsPerson(booking)
{
	return booking.state === "needs_sign_in" || booking.outcome === "unconfirmed";
}

function isOver(booking, day, today)
{
	const ended = booking.state === "done" || booking.state === "cancelled";

	return ended && (day ? day < today : true);
}

function byDay(direction)
{
	return (a, b) => direction * a.day.localeCompare(b.day) || b.booking.id - a.booking.id;
}

function matches(booking, words, sites)
{
	const title = sites?.find((site) => site.name === booking.site)?.title ?? booking.site;
	const text = [booking.title, title, ...Object.values(booking.inputs ?? {})].join(" ").toLowerCase();

	return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/*
 * { needs, days: [{ day, bookings }], past }: needs and days from the nearest day on, past from the latest back. today: as
 * "2025-11-20"; words: what a booking must hold to be shown.
 */
export function bookingGroups(bookings, { sites, today, words = "" })
{
	const dated = bookings.filter((booking) => matches(booking, words, sites))
		.map((booking) => ({ booking, day: bookingDay(booking, sites) }));
	const needs = dated.filter(({ booking, day }) => needsPerson(booking) && !(booking.state === "done" && day && day < today));
	const rest = dated.filter((one) => !needs.includes(one));
	const coming = rest.filter(({ booking, day }) => !isOver(booking, day, today)).sort(byDay(1));
	const days = [];

	for (const { booking, day } of coming) {
		if (days.at(-1)?.day !== day)
			days.push({ day, bookings: [] });
		days.at(-1).bookings.push(booking);
	}
	return {
		needs: needs.sort(byDay(1)).map(({ booking }) => booking),
		days,
		past: rest.filter(({ booking, day }) => isOver(booking, day, today)).sort(byDay(-1)).map(({ booking }) => booking),
	};
}
