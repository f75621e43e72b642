// api.desk.test: POST /queries, a GraphQL-shaped door that desk.test's own pages use with the
// session cookie, across origins.
import { cookiesOf, jsonOf, send, sendJson } from '../http.mjs';
import { windowDays } from './bookings.mjs';
import { BUILDINGS, desksOf } from './floors.mjs';

const ORIGIN = 'https://desk.test';
const CORS = { 'access-control-allow-origin': ORIGIN, 'access-control-allow-credentials': 'true',
	vary: 'Origin' };
const PREFLIGHT = { ...CORS, 'access-control-allow-methods': 'POST',
	'access-control-allow-headers': 'content-type', 'access-control-max-age': '600' };

const HANG = Symbol('never answer');

export class Api {
	#sessions;
	#bookings;
	#knobs;
	#truth;

	constructor({ sessions, bookings, knobs, truth }) {
		this.#sessions = sessions;
		this.#bookings = bookings;
		this.#knobs = knobs;
		this.#truth = truth;
	}

	async handle(req, res, url) {
		if (url.pathname !== '/queries')
			send(res, 404, 'text/plain', 'There is only /queries here.\n');
		else if (req.headers.origin && req.headers.origin !== ORIGIN)
			sendJson(res, 403, this.#refusal('FORBIDDEN', 'This origin may not ask.'));
		else if (req.method === 'OPTIONS')
			send(res, 204, 'text/plain', undefined, PREFLIGHT);
		else if (req.method === 'POST')
			await this.#query(req, res);
		else
			send(res, 405, 'text/plain', 'Only POST.\n', { allow: 'POST, OPTIONS' });
	}

	async #query(req, res) {
		const { session } = this.#sessions.find(cookiesOf(req));
		const { operationName, variables = {} } = await jsonOf(req);
		if (!session) {
			const refusal = this.#refusal('UNAUTHENTICATED', 'Your session has expired.');
			sendJson(res, 401, refusal, CORS);
			return;
		}
		const answer = this.#run(operationName, variables, session.account);
		if (answer !== HANG && operationName === 'createBooking' && this.#knobs.answer_late_ms)
			setTimeout(() => sendJson(res, 200, answer, CORS), this.#knobs.answer_late_ms).unref();
		else if (answer !== HANG)
			sendJson(res, 200, answer, CORS);
	}

	#refusal(code, message) {
		return { data: null, errors: [{ message, extensions: { code } }] };
	}

	#run(operation, variables, account) {
		if (operation === 'createBooking')
			return this.#createBooking(variables, account);
		if (operation === 'myBookings')
			return { data: { myBookings: this.#bookings.of(account) } };
		if (operation === 'floor')
			return { data: { floor: this.#floor(variables, account) } };
		return this.#refusal('BAD_REQUEST', `There is no operation "${operation}".`);
	}

	#floor({ building, floor, date }, account) {
		const onDay = this.#bookings.rows.filter((row) => row.date === date);
		const desks = desksOf(Number(building), Number(floor)).map(({ owner, ...desk }) => {
			const rows = onDay.filter((row) => row.desk === desk.id);
			const other = owner ?? rows.find((row) => row.login !== account.login)?.email;
			return { ...desk, takenBy: other ?? null, mine: rows.length > 0 && !other };
		});
		return { days: windowDays(), buildings: BUILDINGS, desks };
	}

	#createBooking(variables, account) {
		let desk;
		this.#truth.asked.push({ spaceId: variables.spaceId, date: variables.startDate });
		this.#truth.count('asked');
		try {
			desk = this.#bookings.check(account, variables);
		} catch (error) {
			if (!error.code)
				throw error;
			this.#truth.count('refused');
			return this.#refusal(error.code, error.message);
		}
		return this.#accept(account, desk, variables);
	}

	/* It books in its own good time. */
	#bookLate(account, desk, { startDate, note }) {
		setTimeout(() => {
			const row = this.#bookings.add(account, desk, startDate, note);
			this.#truth.accepted.push({ id: row.id, login: account.login, desk: desk.id, date: startDate, outcome: 'late',
				at: new Date().toISOString() });
			this.#truth.count('booked');
		}, this.#knobs.book_late_ms).unref();
		this.#truth.count('accepted');
		return this.#spend('accept_then_hang') ? HANG : { data: { createBooking: { id: 0, desk: desk.id, date: startDate } } };
	}

	/* The knobs make the two lies that a site can tell about a booking. */
	#accept(account, desk, { startDate, note }) {
		if (this.#knobs.book_late_ms)
			return this.#bookLate(account, desk, { startDate, note });
		const outcome = this.#spend('accept_but_drop') ? 'dropped' :
			this.#spend('accept_then_hang') ? 'hung' : 'booked';
		const row = outcome === 'dropped' ? { id: 0, desk: desk.id, date: startDate } :
			this.#bookings.add(account, desk, startDate, note);
		this.#truth.accepted.push({ id: row.id, login: account.login, desk: desk.id,
			date: startDate, outcome, at: new Date().toISOString() });
		this.#truth.count('accepted');
		this.#truth.count(outcome);
		return outcome === 'hung' ? HANG : { data: { createBooking: row } };
	}

	#spend(knob) {
		if (this.#knobs[knob] === 0)
			return false;
		this.#knobs[knob] -= 1;
		return true;
	}
}
