// desk.test: the site itself. What a session is made of, and what ends it, is in sessions.mjs.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { accountByLogin } from '../accounts.mjs';
import { cookiesOf, jsonOf, page, redirect, send, sendJson, sendStatic } from '../http.mjs';
import { RelyingParty } from './oidc.mjs';
import { KINDS } from './sessions.mjs';

const PAGES = new URL('pages/', import.meta.url);
const ORIGIN = 'https://desk.test';
const FINDER = /^\/finder(\/building\/\d+\/floor\/\d+)?\/?$/;
const DETAIL_MAX = 600;

/* Before a sign-in the same cookie names an anonymous visit. */
const sessionCookie = (value) =>
	`desk_session=${value}; Domain=desk.test; Path=/; Secure; HttpOnly; SameSite=Lax`;
const deviceCookie = (value) =>
	`__Host-desk_device=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7776000`;

export class DeskSite {
	#sessions;
	#bookings;
	#widgets;
	#knobs;
	#truth;
	#party;
	#routes = {
		'GET /': (req, res) => redirect(res, '/finder'),
		'GET /login': (req, res, url) => this.#login(req, res, url),
		'GET /sso/start': (req, res, url) => this.#start(req, res, url),
		'GET /callback': (req, res, url) => this.#callback(req, res, url),
		'GET /boot': (req, res) => this.#boot(req, res),
		'POST /boot-check': (req, res) => this.#bootCheck(req, res),
		'POST /logout': (req, res) => this.#logout(req, res),
		'GET /mine': (req, res, url) => this.#mine(req, res, url),
		'GET /mine/news': () => {},
		'GET /mine/rows': (req, res, url) => this.#mineRows(req, res, url),
	};

	constructor({ sessions, bookings, widgets, knobs, truth, client, dial }) {
		this.#sessions = sessions;
		this.#bookings = bookings;
		this.#widgets = widgets;
		this.#knobs = knobs;
		this.#truth = truth;
		this.#party = new RelyingParty(client, dial);
	}

	async handle(req, res, url) {
		const route = this.#routes[`${req.method} ${url.pathname}`];
		if (req.method === 'POST' && req.headers.origin !== ORIGIN)
			sendJson(res, 403, { error: 'This origin may not ask.' });
		else if (route)
			await route(req, res, url);
		else if (req.method === 'GET' && FINDER.test(url.pathname))
			await this.#finder(req, res);
		else if (!sendStatic(res, url.pathname, PAGES))
			send(res, 404, 'text/plain', 'There is no such page at desk.test.\n');
	}

	async #page(res, name, values, headers) {
		if (this.#knobs.slow_ms)
			await delay(this.#knobs.slow_ms);
		send(res, 200, 'html', page(new URL(name, PAGES), values), headers);
	}

	#toLogin(res, why) {
		this.#truth.count('redirects_to_login');
		redirect(res, why ? `/login?expired=${why}` : '/login');
	}

	async #login(req, res, url) {
		const cookie = cookiesOf(req).desk_session;
		const kinds = (url.searchParams.get('expired') ?? '').split(',')
			.filter((kind) => Object.hasOwn(KINDS, kind));
		const keep = this.#sessions.knows(cookie) || cookie?.startsWith('anonymous-');
		const anonymous = `anonymous-${randomBytes(16).toString('base64url')}`;
		await this.#page(res, 'login.html', {
			expired: kinds.length ? 'Your session has expired' : '',
			missing: kinds.map((kind) => `${kind}: ${KINDS[kind]}`).join('\n'),
			detail: (url.searchParams.get('detail') ?? '').slice(0, DETAIL_MAX),
			popup: this.#knobs.popup ? 'yes' : 'no',
		}, keep ? {} : { 'set-cookie': sessionCookie(anonymous) });
	}

	#start(req, res, url) {
		const cookie = cookiesOf(req).desk_session;
		if (!cookie)
			this.#toLogin(res, '');
		else
			redirect(res, this.#party.begin(cookie, { popup: url.searchParams.has('popup'),
				remembers: this.#knobs.sso_remembers }));
	}

	async #callback(req, res, url) {
		const cookies = cookiesOf(req);
		let done;
		try {
			done = await this.#party.finish(url.searchParams, cookies.desk_session);
		} catch (error) {
			await this.#page(res, 'refused.html', { error: error.message });
			return;
		}
		const before = this.#sessions.find(cookies).session;
		if (before)
			this.#sessions.end(before, 'ended');
		const session = this.#sessions.create(accountByLogin(done.claims.sub));
		const headers = { 'set-cookie':
			[sessionCookie(session.cookie), deviceCookie(session.device)] };
		if (done.popup)
			await this.#page(res, 'callback.html', {}, headers);
		else
			redirect(res, '/finder', headers);
	}

	async #finder(req, res) {
		const { session, why } = this.#sessions.find(cookiesOf(req));
		if (!session)
			this.#toLogin(res, why);
		else if (!this.#sessions.load(session))
			this.#toLogin(res, 'revoked');
		else
			await this.#page(res, 'finder.html');
	}

	/* The own list on a page of its own, which fetches the rows by itself. */
	#mine(req, res, url) {
		const { session, why } = this.#sessions.find(cookiesOf(req));
		const { mine_errors: errors, mine_blanks: blanks, mine_dark: dark } = this.#knobs;
		const isDark = session && dark && url.searchParams.get('date') === dark &&
			this.#bookings.of(session.account).some(({ date }) => date === dark);
		this.#truth.count('lists');
		if (!session) {
			this.#toLogin(res, why);
		} else if (errors || isDark) {
			this.#knobs.mine_errors = Math.max(0, errors - 1);
			send(res, this.#knobs.mine_status, 'html', '<!doctype html><title>Deskwise</title><h1>This did not work</h1>');
		} else if (blanks) {
			this.#knobs.mine_blanks = blanks - 1;
			send(res, 200, 'html', '<!doctype html><title>Deskwise</title>');
		} else {
			send(res, 200, 'html', page(new URL('list.html', PAGES), {
				hasty: this.#knobs.mine_hasty ? 'yes' : 'no', polls: this.#knobs.mine_polls ? 'yes' : 'no' }));
		}
	}

	/* ?date=2026-11-27: of that day alone */
	async #mineRows(req, res, url) {
		const day = url.searchParams.get('date');
		const { session } = this.#sessions.find(cookiesOf(req));
		if (this.#knobs.mine_late_ms)
			await delay(this.#knobs.mine_late_ms);
		if (this.#knobs.mine_rows_errors) {
			this.#knobs.mine_rows_errors--;
			sendJson(res, this.#knobs.mine_status, { error: 'This did not work' });
			return;
		}
		sendJson(res, session ? 200 : 401, session ?
			this.#bookings.of(session.account).filter(({ date }) => !day || date === day) : []);
	}

	#boot(req, res) {
		const { session, why } = this.#sessions.find(cookiesOf(req));
		if (!session) {
			sendJson(res, 401, { missing: [why || 'session-cookie'] });
			return;
		}
		const issue = this.#sessions.issue(session);
		const { widgetCookie, widgetStorage } = session;
		const query = issue ? `?ticket=${this.#widgets.ticket(widgetCookie, widgetStorage)}` : '';
		const { name, email, employee_id } = session.account;
		sendJson(res, 200, { person: { name, email, employee_id }, issue,
			farewell: this.#knobs.farewell,
			frame: this.#knobs.widget ? `https://widgets.test/frame${query}` : '' });
	}

	async #bootCheck(req, res) {
		const sent = await jsonOf(req);
		const cookies = cookiesOf(req);
		const { session, why } = this.#sessions.find(cookies);
		if (!session) {
			sendJson(res, 401, { missing: [why || 'session-cookie'] });
			return;
		}
		const { missing, database } = this.#sessions.check(session, cookies['__Host-desk_device'],
			this.#widgets.redeem(sent.widgetReceipt), sent);
		if (missing.length) {
			this.#truth.count('redirects_to_login');
			sendJson(res, 403, { missing, detail: database.join('; ').slice(0, DETAIL_MAX) });
		} else if (this.#knobs.rotate) {
			this.#sessions.rotate(session);
			sendJson(res, 200, { token: session.token },
				{ 'set-cookie': sessionCookie(session.cookie) });
		} else {
			sendJson(res, 200, {});
		}
	}

	#logout(req, res) {
		const { session } = this.#sessions.find(cookiesOf(req));
		if (session) {
			this.#sessions.end(session, 'ended');
			this.#truth.count('sign_outs');
		}
		sendJson(res, 200, {});
	}
}
