// How the sites can be made to misbehave. Every knob is off by default, and nothing is random.

// name: [default, what it does]. Numbers are integers from 0.
export const KNOBS = {
	slow_ms: [0, 'milliseconds by which every page of desk.test is late'],
	popup: [false, 'the company SSO opens in a window of its own, which closes itself'],
	sso_remembers: [true, 'the provider keeps its own session; off: it asks every time'],
	rotate: [false, 'every protected page load replaces the session cookie and the localStorage ' +
		'token; the old ones are dead at once'],
	revoke_on_load: [0, 'a session is revoked at its Nth protected page load; the load that ends ' +
		'the sign-in is number 1'],
	accept_but_drop: [0, 'so many times createBooking answers success and books nothing'],
	accept_then_hang: [0, 'so many times createBooking books and never answers'],
	session_ttl_s: [0, 'seconds after the sign-in at which a session ends'],
	farewell: [false, 'a page that is left, unless by a link of its own, signs its session out'],
	booking_limit: [0, 'bookings that one person may have'],
	idb_exotic: [false, 'IndexedDB also holds BigInt, NaN, -0, RegExp, Date and array keys'],
};

export function defaultKnobs() {
	return Object.fromEntries(Object.entries(KNOBS).map(([name, [value]]) => [name, value]));
}

/** Turns some knobs; throws a sentence, and turns none, if any of them is not one. */
export function turnKnobs(knobs, changes) {
	const names = Object.keys(KNOBS).join(', ');
	for (const [name, value] of Object.entries(changes)) {
		if (!Object.hasOwn(KNOBS, name))
			throw new Error(`There is no knob "${name}". The knobs are ${names}.`);
		const isNumber = typeof KNOBS[name][0] === 'number';
		const fits = isNumber ? Number.isInteger(value) && value >= 0 : typeof value === 'boolean';
		if (!fits)
			throw new Error(`The knob "${name}" takes ${isNumber ? 'a whole number from 0' :
				'true or false'}, not ${JSON.stringify(value)}.`);
	}
	Object.assign(knobs, changes);
}
