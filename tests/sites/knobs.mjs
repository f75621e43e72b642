// How the sites can be made to misbehave. Every knob is off by default, and nothing is random.

// name: [default, what it does]. Numbers are integers from 0; texts may be anything.
export const KNOBS = {
	slow_ms: [0, 'milliseconds by which every page of desk.test is late'],
	popup: [false, 'the company SSO opens in a window of its own, which closes itself'],
	sso_remembers: [true, 'the provider keeps its own session; off: it asks every time'],
	rotate: [false, 'every protected page load replaces the session cookie and the localStorage ' +
		'token; the old ones are dead at once'],
	revoke_on_load: [0, 'a session is revoked at its Nth protected page load; the load that ends ' +
		'the sign-in is number 1'],
	accept_but_drop: [0, 'so many times createBooking answers success and books nothing'],
	accept_then_hang: [0, 'so many times createBooking books, late or not, and never answers'],
	book_late_ms: [0, 'createBooking answers success, and books so many milliseconds later'],
	answer_late_ms: [0, 'milliseconds that createBooking takes to answer'],
	mine_errors: [0, 'so many times /mine is an error page'],
	mine_status: [503, 'of that status'],
	mine_rows_errors: [0, 'so many times what /mine fetches its rows from answers with that status'],
	mine_blanks: [0, 'so many times /mine is a page without anything on it'],
	mine_dark: ['', 'a day whose own list (/mine?date=) answers 503 as soon as anything stands on it'],
	mine_hasty: [false, '/mine shows that there is nothing until its rows have come'],
	mine_polls: [false, '/mine asks for news as it comes, which is never answered'],
	mine_late_ms: [0, 'milliseconds after which /mine has fetched its list; until then it is bare'],
	widget: [true, 'the pages hold the frame of widgets.test; off: a session is kept without its two parts there'],
	session_ttl_s: [0, 'seconds after the sign-in at which a session ends'],
	farewell: [false, 'a page that is left, unless by a link of its own, signs its session out'],
	booking_limit: [0, 'bookings that one person may have'],
	complaint: ['', 'createBooking refuses everything, in these words'],
	idb_exotic: [false, 'IndexedDB also holds BigInt, NaN, -0, RegExp, Date and array keys'],
};

const TAKES = { number: 'a whole number from 0', boolean: 'true or false', string: 'a text' };

export function defaultKnobs() {
	return Object.fromEntries(Object.entries(KNOBS).map(([name, [value]]) => [name, value]));
}

/** Turns some knobs; throws a sentence, and turns none, if any of them is not one. */
export function turnKnobs(knobs, changes) {
	const names = Object.keys(KNOBS).join(', ');
	for (const [name, value] of Object.entries(changes)) {
		if (!Object.hasOwn(KNOBS, name))
			throw new Error(`There is no knob "${name}". The knobs are ${names}.`);
		const type = typeof KNOBS[name][0];
		const fits = type === 'number' ? Number.isInteger(value) && value >= 0 : typeof value === type;
		if (!fits)
			throw new Error(`The knob "${name}" takes ${TAKES[type]}, not ${JSON.stringify(value)}.`);
	}
	Object.assign(knobs, changes);
}
