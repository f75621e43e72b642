// Every booking there is. One person may hold the same desk and day twice: that is how a request
// that was sent twice shows.
import { deskBySpace } from './floors.mjs';

const WINDOW_DAYS = 29;
const DAY_MS = 86_400_000;

/** The days that can be booked, as 2025-11-20, today (UTC) first. */
export function windowDays(now_ms = Date.now()) {
	return Array.from({ length: WINDOW_DAYS }, (_, i) =>
		new Date(now_ms + i * DAY_MS).toISOString().slice(0, 10));
}

function refusal(code, message) {
	return Object.assign(new Error(message), { code });
}

export class Bookings {
	#knobs;
	#next = 1;
	rows = [];

	constructor(knobs) { this.#knobs = knobs; }

	/** The desk and day that a request asks for; throws a refusal if they cannot be had. */
	check(account, { spaceId, employeeId, startDate, endDate }) {
		const desk = deskBySpace(spaceId);
		const { booking_limit: limit, complaint } = this.#knobs;
		if (employeeId !== account.employee_id)
			throw refusal('FORBIDDEN', 'You can book for yourself only.');
		if (complaint)
			throw refusal('REFUSED', complaint);
		if (!desk)
			throw refusal('NO_SUCH_SPACE', 'There is no such desk.');
		if (startDate !== endDate || !windowDays().includes(startDate))
			throw refusal('OUTSIDE_WINDOW',
				`Desks can be booked by the day, ${WINDOW_DAYS} days ahead.`);
		if (desk.owner || this.#isAnothers(account, desk, startDate))
			throw refusal('SPACE_TAKEN', `Desk ${desk.id} is already taken on that day.`);
		if (limit && this.of(account).length >= limit)
			throw refusal('LIMIT', `You have reached your limit of ${limit} bookings.`);
		return desk;
	}

	#isAnothers(account, desk, date) {
		return this.rows.some((row) => row.desk === desk.id && row.date === date &&
			row.login !== account.login);
	}

	add(account, desk, date, note) {
		const { id, spaceId, building, floor } = desk;
		const row = { id: this.#next++, login: account.login, email: account.email, desk: id,
			spaceId, building, floor, date, note: String(note ?? '').slice(0, 500),
			at: new Date().toISOString() };
		this.rows.push(row);
		return row;
	}

	of(account) {
		return this.rows.filter((row) => row.login === account.login)
			.sort((a, b) => a.date.localeCompare(b.date) || a.id - b.id);
	}

	clear() {
		this.rows = [];
		this.#next = 1;
	}
}
