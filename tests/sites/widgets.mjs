// widgets.test: somebody else's frame inside desk.test. What it keeps is partitioned: a cookie that
// only its server sees (CHIPS) and localStorage that only its script sees.
import { randomUUID } from 'node:crypto';
import { cookiesOf, jsonOf, page, send, sendJson, sendStatic } from './http.mjs';

const PAGES = new URL('widgets/', import.meta.url);
const COOKIE = '__Host-widget';

export class Widgets {
	#tickets = new Map();  /* one-time ticket → the values to keep */
	#receipts = new Map(); /* one-time receipt → the cookie that came with its request */

	/** A ticket by which the frame, once, gets its cookie and its storage. */
	ticket(cookie, storage) {
		const id = randomUUID();
		this.#tickets.set(id, { cookie, storage });
		return id;
	}

	/** The cookie seen when a receipt was written, once; undefined if there was none. */
	redeem(receipt) {
		const cookie = this.#receipts.get(receipt);
		this.#receipts.delete(receipt);
		return cookie;
	}

	async handle(req, res, url) {
		if (sendStatic(res, url.pathname, PAGES))
			return;
		if (req.method === 'GET' && url.pathname === '/frame')
			send(res, 200, 'html', page(new URL('frame.html', PAGES)),
				{ 'content-security-policy': 'frame-ancestors https://desk.test' });
		else if (req.method === 'POST' && url.pathname === '/claim')
			this.#claim(res, (await jsonOf(req)).ticket);
		else if (req.method === 'POST' && url.pathname === '/receipt')
			this.#receipt(req, res);
		else
			send(res, 404, 'text/plain', 'There is no such page at widgets.test.\n');
	}

	#claim(res, ticket) {
		const values = this.#tickets.get(ticket);
		this.#tickets.delete(ticket);
		if (!values) {
			sendJson(res, 410, { error: 'This ticket was used already.' });
			return;
		}
		sendJson(res, 200, { storage: values.storage }, { 'set-cookie':
			`${COOKIE}=${values.cookie}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned; ` +
			'Max-Age=2592000' });
	}

	#receipt(req, res) {
		const receipt = randomUUID();
		this.#receipts.set(receipt, cookiesOf(req)[COOKIE]);
		sendJson(res, 200, { receipt });
	}
}
