// The truth and the knobs, on a Unix socket that no browser can reach.
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { accountByLogin, accounts } from './accounts.mjs';
import { deskById } from './desk/floors.mjs';
import { jsonOf, sendJson } from './http.mjs';
import { defaultKnobs, turnKnobs } from './knobs.mjs';
import { totp, totpSecondsLeft } from './totp.mjs';

const WAIT_MAX_MS = 600_000;

export class Control {
	#sites;
	#server = createServer((req, res) => this.#handle(req, res));
	#routes = {
		'GET /state': () => this.#state(),
		'POST /knobs': (body) => this.#turn(body),
		'POST /expire': ({ login }) => this.#expire(login),
		'POST /book': (wish) => this.#book(wish),
		'POST /reset': () => this.#reset(),
		'GET /totp': ({ login }) => this.#totp(login),
		'GET /wait': (query) => this.#wait(query),
	};

	/** sites: { knobs, truth, sessions, bookings, sso } */
	constructor(sites) { this.#sites = sites; }

	listen(path) {
		rmSync(path, { force: true });
		return new Promise((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(path, resolve);
		});
	}

	close() {
		this.#server.closeAllConnections();
		this.#server.close();
	}

	async #handle(req, res) {
		const url = new URL(req.url, 'http://control');
		const route = this.#routes[`${req.method} ${url.pathname}`];
		try {
			if (!route)
				throw new Error(`There is no ${req.method} ${url.pathname}. There are ${
					Object.keys(this.#routes).join(', ')}.`);
			const empty = req.method === 'GET' || req.headers['content-length'] === '0';
			const given = empty ? Object.fromEntries(url.searchParams) : await jsonOf(req);
			sendJson(res, 200, await route(given));
		} catch (error) {
			sendJson(res, 400, { error: error.message });
		}
	}

	#state() {
		const { knobs, truth, sessions, bookings } = this.#sites;
		return { knobs, counts: truth.counts, sessions: sessions.describe(),
			bookings: bookings.rows, accepted: truth.accepted, asked: truth.asked };
	}

	#turn(changes) {
		turnKnobs(this.#sites.knobs, changes);
		return this.#sites.knobs;
	}

	#expire(login) {
		const account = login === undefined ? undefined : this.#account(login);
		this.#sites.sso.end(account?.login);
		return { ended: this.#sites.sessions.endAll(account?.login) };
	}

	/* What stands there although nobody has asked createBooking for it. */
	#book({ login, desk: id, date }) {
		const desk = deskById(id);
		if (!desk)
			throw new Error(`There is no desk "${id}".`);
		return this.#sites.bookings.add(this.#account(login), desk, date);
	}

	#reset() {
		const { knobs, truth, sessions, bookings, sso } = this.#sites;
		Object.assign(knobs, defaultKnobs());
		sso.end();
		for (const part of [truth, sessions, bookings])
			part.clear();
		return {};
	}

	#totp(login) {
		const account = this.#account(login);
		return { code: totp(account.totp_secret), seconds_left: totpSecondsLeft() };
	}

	async #wait({ count, at_least = '1', timeout_ms = '30000' }) {
		const limit_ms = Math.min(Number(timeout_ms), WAIT_MAX_MS);
		return { reached: await this.#sites.truth.reached(count, Number(at_least), limit_ms),
			counts: this.#sites.truth.counts };
	}

	#account(login) {
		const account = accountByLogin(login);
		if (!account)
			throw new Error(`There is no account "${login}". There are ${
				accounts.map((a) => a.login).join(', ')}.`);
		return account;
	}
}
