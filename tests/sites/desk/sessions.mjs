// Who is signed in at desk.test, and the values that were handed to each browser at sign-in. The
// site keeps them in seven places, and a protected page works only if all seven are still there.
import { randomBytes, randomUUID } from 'node:crypto';
import { databaseFor, differences } from './records.mjs';

export const KINDS = {
	'session-cookie': 'the session cookie, which lives as long as the browser',
	'device-cookie': 'the persistent cookie of this device',
	'local-storage': 'the token in localStorage',
	'session-storage': 'the tab\'s value in sessionStorage',
	'indexeddb': 'the records in IndexedDB',
	'partitioned-cookie': 'the partitioned cookie of the widget\'s frame',
	'partitioned-storage': 'the partitioned localStorage of the widget\'s frame',
	'revoked': 'this sign-in was revoked',
	'ended': 'this sign-in has ended',
	'rotated': 'the session cookie was used before and has been replaced since',
};

const value = () => randomBytes(24).toString('base64url');

export class Sessions {
	#byCookie = new Map();
	#dead = new Map();     /* session cookie → why it is dead */
	#devices = new Set();
	#knobs;
	#truth;
	all = [];

	constructor(knobs, truth) {
		this.#knobs = knobs;
		this.#truth = truth;
	}

	create(account) {
		const session = {
			id: randomUUID(), account, state: 'live', at: new Date(), loads: 0, issued: false,
			report: null, cookie: value(), device: value(), token: value(), tab: value(),
			widgetCookie: value(), widgetStorage: value(),
			database: databaseFor(account, this.#knobs.idb_exotic),
		};
		this.all.push(session);
		this.#byCookie.set(session.cookie, session);
		this.#devices.add(session.device);
		this.#truth.count('sign_ins');
		return session;
	}

	/** { session } or { why }: a word of KINDS, or '' for somebody who never signed in here. */
	find(cookies) {
		const cookie = cookies.desk_session;
		const session = this.#byCookie.get(cookie);
		const ttl_s = this.#knobs.session_ttl_s;
		if (session && ttl_s && Date.now() >= session.at.getTime() + ttl_s * 1000)
			this.end(session, 'ended');
		else if (session)
			return { session };
		const device = this.#devices.has(cookies['__Host-desk_device']);
		return { why: this.#dead.get(cookie) ?? (device ? 'session-cookie' : '') };
	}

	/** Whether a session was ever, or is now, named by this cookie. */
	knows(cookie) {
		return this.#byCookie.has(cookie) || this.#dead.has(cookie);
	}

	/** Counts a protected page load, which the revoke_on_load knob may refuse: then false. */
	load(session) {
		session.loads += 1;
		this.#truth.count('loads');
		const limit = this.#knobs.revoke_on_load;
		if (!limit || session.loads < limit)
			return true;
		this.end(session, 'revoked');
		return false;
	}

	end(session, why) {
		session.state = why;
		this.#byCookie.delete(session.cookie);
		this.#dead.set(session.cookie, why);
	}

	endAll(login) {
		const live = this.all.filter((s) => s.state === 'live' &&
			(!login || s.account.login === login));
		for (const session of live)
			this.end(session, 'ended');
		return live.length;
	}

	/** What the browser must be given, the one and only time. */
	issue(session) {
		if (session.issued)
			return null;
		session.issued = true;
		return { token: session.token, tab: session.tab, database: session.database };
	}

	/** Which kinds are missing or wrong in what the page sent; kept as the session's report. */
	check(session, device, widgetCookie, sent) {
		const database = differences(session.database, sent.database);
		const right = {
			'device-cookie': device === session.device,
			'local-storage': sent.token === session.token,
			'session-storage': sent.tab === session.tab,
			'indexeddb': database.length === 0,
			...(this.#knobs.widget && {
				'partitioned-cookie': widgetCookie === session.widgetCookie,
				'partitioned-storage': sent.widgetStorage === session.widgetStorage,
			}),
		};
		const missing = Object.keys(right).filter((kind) => !right[kind]);
		session.report = { missing, database };
		this.#truth.count(missing.length ? 'checks_failed' : 'checks_passed');
		return session.report;
	}

	/** Replaces what is single use; the old cookie is dead from here on. */
	rotate(session) {
		this.#byCookie.delete(session.cookie);
		this.#dead.set(session.cookie, 'rotated');
		session.cookie = value();
		session.token = value();
		this.#byCookie.set(session.cookie, session);
	}

	clear() {
		this.#byCookie.clear();
		this.#dead.clear();
		this.#devices.clear();
		this.all = [];
	}

	describe() {
		return this.all.map((s) => ({ id: s.id, login: s.account.login, state: s.state,
			signed_in_at: s.at.toISOString(), loads: s.loads, issued: s.issued, last_check: s.report }));
	}
}
