// The stand-in sites by themselves, in Debian's Chromium, without any of Stead:
//	node --test tests/sites/selftest.mjs
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { chromiumArguments, startSites, totp } from './client.mjs';

/* No process for each site, nor one in reserve: the sites are looked at here, and not how Chromium guards them. */
const FEW_PROCESSES = ['--disable-site-isolation-trials', '--disable-features=Translate,SpareRendererForSitePerProcess'];
/*
 * playwright turns storage partitioning off, and then a cross-site frame has no localStorage at all
 * where third-party cookies are blocked, as Debian's Chromium does. The last --disable-features
 * wins.
 */
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync',
	...FEW_PROCESSES];
const dir = mkdtempSync(join(tmpdir(), 'sites-'));
let sites;
let browser;
let page;

before(async () => {
	sites = await startSites({ dir });
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
		args: [...QUIET, ...chromiumArguments(sites.info)] });
});

after(async () => {
	await browser?.close();
	assert.equal(await sites?.stop(), 0);
	rmSync(dir, { recursive: true });
});

async function startAfresh() {
	await page?.context().close();
	page = await (await browser.newContext()).newPage();
	page.setDefaultTimeout(8_000);
	await sites.control('/reset', {});
}

/* With a browser that knows nothing, and sites that know nobody. */
const fresh = (name, work) => test(name, async () => {
	await startAfresh();
	await work();
});

const account = (login) => sites.info.accounts.find((one) => one.login === login);

async function fillSso(where, { login, password, totp_secret }) {
	await where.fill('#username', login);
	await where.fill('#password', password);
	await where.click('#next');
	await where.fill('#code', totp(totp_secret));
	await where.click('#verify');
}

async function signIn(login = 'alice') {
	await page.goto('https://desk.test/login');
	await page.click('text=Continue with company SSO');
	await fillSso(page, account(login));
	await expectWho(login);
}

/* The provider still knows who it is. */
async function signInAgain(login = 'alice') {
	await page.click('text=Continue with company SSO');
	await expectWho(login);
}

async function expectWho(login) {
	await page.waitForURL('https://desk.test/finder**');
	await page.waitForSelector('body[data-ready=yes]');
	assert.equal(await page.textContent('#who'), account(login).email);
}

async function expectExpired(what) {
	await page.goto('https://desk.test/finder');
	await page.waitForURL('https://desk.test/login?expired=**');
	assert.equal(new URL(page.url()).searchParams.get('expired'), what);
	const text = await page.innerText('#expired');
	assert.match(text, /Your session has expired/);
	for (const kind of what.split(','))
		assert.ok(text.includes(kind), `${kind} is named in: ${text}`);
}

async function chooseDay(date, floor = 1) {
	await page.goto(`https://desk.test/finder/building/1/floor/${floor}`);
	await page.click('text=Book Desk');
	await page.click(`[role=gridcell][data-date="${date}"]`);
	await page.click('text=Update');
	await page.waitForSelector(`#plan[data-date="${date}"] #floorImage`);
}

async function bookNow(desk) {
	await page.click(`circle[data-desk="${desk}"]`);
	await page.click('text=Book Now');
}

/* What stands there, on one day if it is given. */
async function ownList(date) {
	await page.click('#my_bookings_button');
	await page.waitForSelector('#my_bookings[aria-busy=false][data-rows]');
	const rows = await page.$$eval('.UITable---row', (found) => found.map((row) =>
		`${row.dataset.date} ${row.dataset.desk}`));
	return rows.filter((row) => !date || row.startsWith(date));
}

const inDays = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
const accepted = async () => (await sites.control('/state')).accepted;
const sessionCookie = async () =>
	(await page.context().cookies('https://desk.test')).find((c) => c.name === 'desk_session');

fresh('who never signed in is sent to the sign-in, and told of no old session', async () => {
	await page.goto('https://desk.test/finder');
	assert.equal(page.url(), 'https://desk.test/login');
	assert.ok(!await page.isVisible('text=Your session has expired'));
	assert.match((await sessionCookie()).value, /^anonymous-/);
});

fresh('a wrong password and a wrong code say so and can be tried again', async () => {
	await page.goto('https://desk.test/login');
	await page.click('#sso');
	await page.fill('#username', 'alice');
	await page.fill('#password', 'wrong');
	await page.click('#next');
	await page.waitForSelector('#error:has-text("password is wrong")');
	await page.fill('#password', account('alice').password);
	await page.click('#next');
	await page.fill('#code', totp(account('alice').totp_secret) === '000000' ? '000001' : '000000');
	await page.click('#verify');
	await page.waitForSelector('#error:has-text("code is wrong")');
	await page.fill('#code', totp(account('alice').totp_secret));
	await page.click('#verify');
	await expectWho('alice');
	const { counts } = await sites.control('/state');
	assert.deepEqual([counts.wrong_passwords, counts.wrong_codes, counts.sign_ins], [1, 1, 1]);
});

fresh('the sign-in changes the anonymous cookie, and the site comes up again', async () => {
	await page.goto('https://desk.test/login');
	const anonymous = await sessionCookie();
	await signIn();
	const signed = await sessionCookie();
	assert.notEqual(signed.value, anonymous.value);
	assert.equal(signed.expires, -1);
	assert.deepEqual([signed.httpOnly, signed.secure, signed.sameSite], [true, true, 'Lax']);
	await page.reload();
	await expectWho('alice');
	const [session] = (await sites.control('/state')).sessions;
	assert.deepEqual([session.loads, session.last_check], [2, { missing: [], database: [] }]);
});

fresh('all kinds of IndexedDB values are kept as they are', async () => {
	await sites.control('/knobs', { idb_exotic: true });
	await signIn();
	await page.reload();
	await expectWho('alice');
});

const inFrame = (script) => page.frames()
	.find((frame) => frame.url().startsWith('https://widgets.test/')).evaluate(script);
const LOSSES = {
	'session-cookie': () => page.context().clearCookies({ name: 'desk_session' }),
	'device-cookie': () => page.context().clearCookies({ name: '__Host-desk_device' }),
	'local-storage': () => page.evaluate(() => localStorage.clear()),
	'session-storage': () => page.evaluate(() => sessionStorage.clear()),
	'indexeddb': () => page.evaluate(() => new Promise((resolve, reject) => {
		Object.assign(indexedDB.deleteDatabase('desk'), { onsuccess: resolve, onerror: reject });
	})),
	'partitioned-cookie': () => page.context().clearCookies({ name: '__Host-widget' }),
	'partitioned-storage': () => inFrame(() => localStorage.clear()),
};

fresh('without any one of its parts the session is over, and nothing else is blamed', async () => {
	await signIn();
	for (const [kind, lose] of Object.entries(LOSSES)) {
		await lose();
		await expectExpired(kind);
		await signInAgain();
	}
});

const SPOILS = {
	'a Date that became a string': (me) => { me.joined = me.joined.toISOString(); },
	'a Map that became an object': (me) => { me.preferences = {}; },
	'a Uint8Array that became an ArrayBuffer': (me) => { me.key = me.key.buffer; },
	'a lost record value': (me) => { delete me.secret; },
};

fresh('IndexedDB is looked into', async () => {
	await signIn();
	for (const [what, spoil] of Object.entries(SPOILS)) {
		await page.evaluate((code) => new Promise((resolve, reject) => {
			const opening = indexedDB.open('desk');
			opening.onsuccess = () => {
				const work = opening.result.transaction('people', 'readwrite');
				const store = work.objectStore('people');
				store.get('me').onsuccess = ({ target }) => {
					(0, eval)(`(${code})`)(target.result);
					store.put(target.result);
				};
				work.oncomplete = () => resolve(opening.result.close());
				work.onabort = reject;
			};
		}), spoil.toString());
		await expectExpired('indexeddb');
		const session = (await sites.control('/state')).sessions.at(-1);
		assert.ok(session.last_check.database.some((line) => line.startsWith('desk.stores.people')), what);
		await signInAgain();
	}
});

fresh('nothing is handed out a second time after the sign-in', async () => {
	await signIn();
	await page.evaluate(() => { localStorage.clear(); sessionStorage.clear(); });
	await expectExpired('local-storage,session-storage');
	await expectExpired('local-storage,session-storage');
});

fresh('SSO in a popup: it closes itself, and the opener goes on', async () => {
	await sites.control('/knobs', { popup: true });
	await page.goto('https://desk.test/login');
	const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#sso')]);
	const closed = popup.waitForEvent('close');
	await fillSso(popup, account('bob'));
	await closed;
	await expectWho('bob');
});

fresh('a booking made on the page stands on the own list, and is taken for others', async () => {
	const date = inDays(3);
	await signIn();
	await chooseDay(date);
	const label = await page.getAttribute(`[data-date="${date}"][role=gridcell]`, 'aria-label');
	assert.equal(label, new Date(`${date}T12:00:00`).toDateString());
	assert.equal(await page.getAttribute('circle[data-desk="D-107"]', 'data-state'), 'taken');
	await bookNow('D-103');
	await page.waitForSelector('#toast:has-text("D-103 is booked")');
	assert.deepEqual(await ownList(), [`${date} D-103`]);
	const { bookings } = await sites.control('/state');
	assert.deepEqual(bookings.map((b) => [b.login, b.desk, b.date]), [['alice', 'D-103', date]]);

	await page.context().clearCookies();
	await signIn('bob');
	await chooseDay(date);
	assert.equal(await page.getAttribute('circle[data-desk="D-103"]', 'data-state'), 'taken');
	await bookNow('D-103');
	await page.waitForSelector('#booking_error:has-text("already taken")');
	assert.equal((await accepted()).length, 1);
});

/* Each on a day of its own, so that one sign-in serves them all; the last ends it. */
describe('somebody who is signed in', () => {
	before(async () => {
		await startAfresh();
		await signIn();
	});

	test('days outside the window are disabled, and the limit is said', async () => {
		await sites.control('/knobs', { booking_limit: 1 });
		await chooseDay(inDays(28));
		assert.equal(await page.locator('[role=gridcell][aria-disabled=false]').count(), 29);
		assert.equal(await page.getAttribute(`[data-date="${inDays(29)}"]`, 'aria-disabled'), 'true');
		await bookNow('D-101');
		await page.waitForSelector('#toast:has-text("is booked")');
		await bookNow('D-102');
		await page.waitForSelector('#booking_error:has-text("limit of 1")');
		await sites.control('/knobs', { booking_limit: 0 });
	});

	test('the widget\'s cookie is partitioned under desk.test', async () => {
		const tab = await page.context().newCDPSession(page);
		const { targetInfo: { browserContextId } } = await tab.send('Target.getTargetInfo');
		const whole = await browser.newBrowserCDPSession();
		const { cookies } = await whole.send('Storage.getCookies', { browserContextId });
		const widget = cookies.find((cookie) => cookie.name === '__Host-widget');
		assert.deepEqual(widget.partitionKey,
			{ topLevelSite: 'https://desk.test', hasCrossSiteAncestor: true });
		assert.deepEqual([widget.httpOnly, widget.secure, widget.sameSite], [true, true, 'None']);
	});

	test('the same person sent twice shows as two rows', async () => {
		const date = inDays(4);
		for (let sent = 1; sent <= 2; sent++) {
			await chooseDay(date);
			await bookNow('D-101');
			await page.waitForSelector('#toast:has-text("is booked")');
		}
		assert.deepEqual(await ownList(date), [`${date} D-101`, `${date} D-101`]);
	});

	test('accept_but_drop says success and books nothing', async () => {
		const date = inDays(2);
		await sites.control('/knobs', { accept_but_drop: 1 });
		await chooseDay(date);
		await bookNow('D-101');
		await page.waitForSelector('#toast:has-text("is booked")');
		assert.deepEqual(await ownList(date), []);
		assert.deepEqual((await accepted()).filter((one) => one.date === date).map((one) => one.outcome), ['dropped']);
	});

	test('accept_then_hang books and never answers', async () => {
		const date = inDays(5);
		await sites.control('/knobs', { accept_then_hang: 1 });
		await chooseDay(date);
		await bookNow('D-101');
		assert.equal((await sites.control('/wait?count=hung&timeout_ms=10000')).reached, true);
		assert.ok(await page.isVisible('#hoteling_desk'));
		await page.goto('https://desk.test/finder');
		assert.deepEqual(await ownList(date), [`${date} D-101`]);
	});

	test('the certificate holds for its CA, and another origin is refused', async () => {
		const cookie = `desk_session=${(await sessionCookie()).value}`;
		assert.equal(await askApi('https://desk.test', cookie), 200);
		assert.equal(await askApi('https://evil.test', cookie), 403);
		assert.equal(await askApi('https://desk.test', ''), 401);
	});

	test('farewell: a page that is left signs its session out, its own links do not', async () => {
		await sites.control('/knobs', { farewell: true });
		await page.goto('https://desk.test/finder');
		await page.click('text=Floor 2');
		await page.waitForSelector('#book_desk');
		await page.goto('about:blank');
		assert.equal((await sites.control('/wait?count=sign_outs&timeout_ms=5000')).reached, true);
		await expectExpired('ended');
	});
});

fresh('revoke_on_load refuses the second visit', async () => {
	await sites.control('/knobs', { revoke_on_load: 2 });
	await signIn();
	await expectExpired('revoked');
	await expectExpired('revoked');
	assert.equal((await sites.control('/state')).sessions[0].state, 'revoked');
});

fresh('rotate: each load replaces cookie and token, and the old ones are dead', async () => {
	await sites.control('/knobs', { rotate: true });
	await signIn();
	const old = await sessionCookie();
	const token = await page.evaluate(() => localStorage.getItem('desk.token'));
	await page.reload();
	await expectWho('alice');
	assert.notEqual((await sessionCookie()).value, old.value);
	assert.notEqual(await page.evaluate(() => localStorage.getItem('desk.token')), token);
	await page.context().addCookies([old]);
	await expectExpired('rotated');
});

fresh('session_ttl_s ends a session by itself', async () => {
	await signIn();
	await sites.control('/knobs', { session_ttl_s: 1 });
	for (const limit = Date.now() + 5000; page.url() !== 'https://desk.test/login?expired=ended';) {
		assert.ok(Date.now() < limit, `still at ${page.url()}`);
		await page.goto('https://desk.test/finder').catch(() => {}); /* the page itself may go to /login just then */
	}
});

fresh('without the widget a session is kept in desk.test alone', async () => {
	await sites.control('/knobs', { widget: false });
	await signIn();
	await page.reload();
	await expectWho('alice');
	assert.deepEqual(page.frames().map((frame) => new URL(frame.url()).host), ['desk.test']);
	await page.evaluate(() => localStorage.clear());
	await expectExpired('local-storage');
});

fresh('slow_ms makes every page late', async () => {
	await sites.control('/knobs', { slow_ms: 400 });
	const start = performance.now();
	await page.goto('https://desk.test/login');
	assert.ok(performance.now() - start >= 400);
});

function askApi(origin, cookie) {
	return new Promise((resolve, reject) => request({ host: '127.0.0.1', port: sites.info.port,
		ca: readFileSync(sites.info.ca), servername: 'api.desk.test', method: 'POST', path: '/queries',
		headers: { host: 'api.desk.test', origin, cookie } }, (res) => resolve(res.resume().statusCode))
		.on('error', reject).end(JSON.stringify({ operationName: 'myBookings' })));
}

fresh('expire ends one person\'s sessions, at the provider too', async () => {
	await signIn();
	assert.deepEqual(await sites.control('/expire', { login: 'bob' }), { ended: 0 });
	assert.deepEqual(await sites.control('/expire', { login: 'alice' }), { ended: 1 });
	await expectExpired('ended');
	await page.click('#sso');
	await fillSso(page, account('alice'));
	await expectWho('alice');
});

fresh('the provider remembers its own session unless told not to', async () => {
	await signIn();
	await page.click('#sign_out');
	await page.waitForURL('https://desk.test/login');
	await page.click('#sso');
	await expectWho('alice');
	await sites.control('/knobs', { sso_remembers: false });
	await page.click('#sign_out');
	await page.waitForURL('https://desk.test/login');
	await page.click('#sso');
	await fillSso(page, account('alice'));
	await expectWho('alice');
});

test('the control socket names what it does not know', async () => {
	await assert.rejects(sites.control('/knobs', { slow: 1 }), /no knob "slow".*slow_ms/);
	await assert.rejects(sites.control('/knobs', { slow_ms: '1' }), /whole number/);
	await assert.rejects(sites.control('/totp?login=zoe'), /no account "zoe".*alice/);
	await assert.rejects(sites.control('/book', { login: 'alice', desk: 'X-1', date: inDays(6) }), /no desk "X-1"/);
	const { code, seconds_left } = await sites.control('/totp?login=alice');
	assert.match(code, /^\d{6}$/);
	assert.ok(seconds_left >= 1 && seconds_left <= 30);
});

test('what is put among the bookings by the control socket is in no count', async () => {
	const { counts } = await sites.control('/state');
	await sites.control('/book', { login: 'alice', desk: 'D-101', date: inDays(6) });
	const after = await sites.control('/state');
	const { login, desk, date } = after.bookings.at(-1);
	assert.deepEqual([login, desk, date], ['alice', 'D-101', inDays(6)]);
	assert.deepEqual(after.counts, counts);
});

test('one-time codes are those of RFC 6238, appendix B', () => {
	const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
	assert.deepEqual([59, 1111111109, 1234567890, 20000000000].map((s) => totp(secret, s * 1000)),
		['287082', '081804', '005924', '353130']);
});
