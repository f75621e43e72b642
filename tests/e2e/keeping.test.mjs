/*
 * A session is never lost by our own hand: whatever the site does in the middle of a booking, what the browser held then goes
 * on to the next try; a page that is left says no goodbye; an outage is waited out; and only two looks that agree are told
 * to anybody.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, day, LIMIT_MS, picture, startRig } from "./rig.mjs";
import { startKeepingSite } from "./keeping_site.mjs";

let rig, site, alice, bookings = 0;

before(async () => {
	rig = await startRig({ settings: { botd: { retry_ms: 1000, tries: 3 } } });
	site = await startKeepingSite(rig, { keeps: {}, patient: { title: "Patient", patience_ms: 20000 },
		family: { title: "Family", session: { reuse_ends: true } }, speaks: { title: "Speaks", session: { farewell: true } } });
	alice = await rig.login("alice");
	await signedIn();
}, { timeout: LIMIT_MS });
after(async () => {
	await rig?.stop();
	site?.stop();
});

async function signedIn(name = "keeps", person = alice)
{
	const signIn = await person.open({ site: name });

	await signIn.reaches("saved");
}

function session(name = "keeps", person = alice)
{
	return person.sessions().then((all) => all.find((one) => one.site === name));
}

async function book(desk, { name = "keeps", person = alice, date = day(3) } = {})
{
	const key = `k${++bookings}`;

	return (await person.must("POST", "/bookings", { key, site: name, action: "book", inputs: { desk, date } })).booking.id;
}

async function log(id, person = alice)
{
	return (await person.must("GET", `/bookings/${id}/log`)).lines.map(({ text }) => text);
}

/* It stands at the site once, and nobody was asked to sign in. */
async function isBooked(id, desk, { person = alice, name = "keeps" } = {})
{
	const done = await person.bookingIs(id, ["done", "needs_sign_in"], LIMIT_MS);

	assert.equal(done.outcome, "booked", `${JSON.stringify(done)}\n${(await log(id, person)).join("\n")}`);
	assert.equal(site.bookings.filter((one) => one.desk === desk).length, 1);
	assert.equal((await session(name, person)).health, "working");
}

/* What one test has lost is not the next one's. */
async function fresh()
{
	if ((await session())?.health !== "working")
		await signedIn();
	await closed();
}

/* Until there is no browser. */
function gone()
{
	return becomes(() => rig.browsers().length === 0, LIMIT_MS, "a browser is still there");
}

/* Until its browser is closed and what it held is saved: then its lease is given back. */
async function closed()
{
	await gone();
	await becomes(async () => await rig.postgres.sql("SELECT count(*) FROM vault.sessions WHERE lease_until > now()") === "0", LIMIT_MS,
		"a session is leased still");
}

describe("a site that replaces its token at every visit", { concurrency: false }, () => {
	beforeEach(fresh);
	afterEach(() => site.reset());

	/* Twice, for Chromium repeats by itself what was cut on a connection that it had. */
	for (const [what, path, ...how] of [["a page without marks where the probe looks", "/who", "blank"],
		["a connection that is cut in the middle of the booking", "/list", "cut", "cut"],
		["a server's error in the middle of the booking", "/desk", "503"],
		["a list that holds IndexedDB in a blocked upgrade", "/list", "blocked"],
		["a moment in which it takes nobody for signed in", "/desk", "login"]]) {
		it(`${what}: the next try goes on with what the browser held`, { timeout: LIMIT_MS }, async () => {
			const desk = `R-${bookings}`;

			site.rotate = true;
			site.next(path, ...how);
			await isBooked(await book(desk), desk);
			assert.equal(site.left(path), 0, "that page was not asked for");
		});
	}

	it("botd stops in the middle, and begins again", { timeout: LIMIT_MS }, async () => {
		site.rotate = true;
		site.next("/desk", "hold");
		const held = once(site, "held");
		const id = await book("S-1");

		await held;
		await rig.daemon("botd").restart();
		await isBooked(id, "S-1");
	});

	/* The lease of a botd that was killed is its own for twelve seconds more. */
	for (const [what, end] of [["botd is killed in the middle", () => rig.restart("botd", {}, "SIGKILL")],
		["streamd is restarted in the middle", () => rig.daemon("streamd").restart()],
		["botd is killed, and streamd restarted before it is there again", async () => {
			await rig.daemon("botd").kill();
			await rig.daemon("streamd").restart();
			await rig.daemon("botd").start();
		}]]) {
		it(`${what}: the next try goes on with what the browser held`, { timeout: LIMIT_MS }, async () => {
			const desk = `K-${bookings}`;

			site.rotate = true;
			site.next("/list", "hold");
			const held = once(site, "held");
			const id = await book(desk);

			await held;
			await end();
			await isBooked(id, desk);
		});
	}

	it("botd is killed, and comes back after the browser's time is over", { timeout: LIMIT_MS }, async () => {
		await rig.restart("streamd", { run_idle_s: 5 });
		site.rotate = true;
		site.next("/list", "hold");
		const held = once(site, "held");
		const id = await book("I-1");

		await held;
		await rig.daemon("botd").kill();
		await gone();
		await rig.restart("streamd", { run_idle_s: undefined });
		await rig.daemon("botd").start();
		await isBooked(id, "I-1");
	});

	it("botd is killed while a browser is closed: what that held is saved all the same", { timeout: LIMIT_MS }, async () => {
		site.rotate = true;
		site.next("/who", "well", "hold"); /* as the browser is opened, and before it is closed */
		const held = once(site, "held");
		const id = await book("S-7");
		const [, release] = await held;

		await rig.daemon("botd").kill();
		release();
		await gone();
		await rig.daemon("botd").start();
		await isBooked(id, "S-7");
		await isBooked(await book("S-8"), "S-8");
	});

	it("botd is killed while the vault is away: what it was to save is saved all the same", { timeout: LIMIT_MS }, async () => {
		site.rotate = true;
		site.next("/who", "well", "hold");
		const held = once(site, "held");
		const id = await book("S-9");
		const [, release] = await held;

		await rig.daemon("sessiond").stop();
		release();
		await becomes(() => /for keeps is not saved yet/.test(rig.daemon("botd").describe("said")), LIMIT_MS, "nothing was to be saved");
		await rig.daemon("botd").kill();
		await rig.daemon("sessiond").start();
		await rig.daemon("botd").start();
		await isBooked(id, "S-9");
		await isBooked(await book("S-10"), "S-10");
	});

	it("a lease that lapses while nobody takes it costs nothing", { timeout: LIMIT_MS }, async () => {
		site.rotate = true;
		site.next("/who", "hold");
		const held = once(site, "held");
		const id = await book("S-3");
		const [, release] = await held;

		await rig.postgres.sql("UPDATE vault.sessions SET lease_until = now() - interval '1 ms' WHERE site = 'keeps'");
		await becomes(async () => await rig.postgres.sql("SELECT lease_until > now() FROM vault.sessions WHERE site = 'keeps'") === "t",
			LIMIT_MS, "the lease is not taken up again");
		release();
		await isBooked(id, "S-3");
		await closed();
		await isBooked(await book("S-4"), "S-4");
	});

	for (const [what, sql, until] of [["is another's", "lease_holder = 'another', lease_until = now() + interval '1 h'"],
		["was another's meanwhile", "lease_holder = NULL, lease_until = NULL", "lease_holder IS NULL AND lease_token > $1"]]) {
		it(`a lease that ${what}: nothing is kept of what the browser holds, and the site not asked for it`, { timeout: LIMIT_MS }, async () => {
			const lost = () => (rig.daemon("botd").describe("said").match(/the lease on the session .* for keeps was lost/g) ?? []).length;
			const before = lost(), asked = site.visits("/who");

			site.next("/list", "hold");
			const held = once(site, "held");
			const id = await book(`L-${before}`);
			const [, release] = await held;
			const version = await rig.postgres.sql("SELECT last_version FROM vault.sessions WHERE site = 'keeps'");
			const token = await rig.postgres.sql(`UPDATE vault.sessions SET lease_token = nextval('vault.lease_tokens'), ${sql}
				WHERE site = 'keeps' RETURNING lease_token`);

			await becomes(() => lost() > before, LIMIT_MS / 3, "the lease's loss was not noticed");
			if (until) /* what the beat took by mistake */
				assert.equal(await rig.postgres.sql(`SELECT ${until.replace("$1", token)} FROM vault.sessions WHERE site = 'keeps'`), "t");
			release();
			await isBooked(id, `L-${before}`);
			await gone();
			assert.equal(site.visits("/who") - asked, 1, "it was asked as the browser was opened");
			assert.equal(await rig.postgres.sql("SELECT last_version FROM vault.sessions WHERE site = 'keeps'"), version);
			await rig.postgres.sql("UPDATE vault.sessions SET lease_holder = NULL, lease_until = NULL WHERE site = 'keeps'");
		});
	}

	it("what a browser held is saved as soon as the vault is there again", { timeout: LIMIT_MS }, async () => {
		site.rotate = true;
		site.next("/who", "well", "hold"); /* as the browser is opened, and before it is closed */
		const held = once(site, "held");
		const id = await book("S-5");
		const [, release] = await held;

		await rig.daemon("sessiond").stop();
		release();
		await becomes(() => /for keeps is not saved yet, and is offered to the vault again/.test(rig.daemon("botd").describe("said")),
			LIMIT_MS, "nothing was to be saved");
		await rig.daemon("sessiond").start();
		await isBooked(id, "S-5");
		await isBooked(await book("S-6"), "S-6");
	});

	it("all of Stead stops in the middle, and begins again", { timeout: LIMIT_MS }, async () => {
		site.rotate = true;
		site.next("/who", "half"); /* the new token has come by then */
		const held = once(site, "held");
		const id = await book("S-2");

		await held;
		await rig.stack.restartDaemons();
		await isBooked(id, "S-2");
	});
});

describe("a page that has its token replaced as it loads", { concurrency: false }, () => {
	beforeEach(fresh);
	afterEach(() => site.reset());

	it("is not left before that has come, neither for the next page nor for good", { timeout: LIMIT_MS }, async () => {
		site.turns = true;
		for (const desk of ["T-1", "T-2"]) {
			const id = await book(desk);

			await isBooked(id, desk);
			assert.ok(!(await log(id)).some((line) => /signed in any more/.test(line)), (await log(id)).join("\n"));
			await closed();
		}
		assert.ok(site.visits("/turn") >= 3, "the page has had no token replaced");
	});
});

describe("a page that is left", { concurrency: false }, () => {
	beforeEach(fresh);
	afterEach(() => site.reset());

	it("says no goodbye, and the probe's page is not left for itself", { timeout: LIMIT_MS }, async () => {
		site.farewell = true;
		await isBooked(await book("F-1"), "F-1");
		await closed();
		await isBooked(await book("F-2"), "F-2");
		await closed();
		assert.equal(site.visits("/bye"), 0);
		assert.equal((await session()).health, "working");
	});

	it("says goodbye at the run's end, too, where the recipe wants that", { timeout: LIMIT_MS }, async () => {
		const last = () => { site.farewell = site.visits("/list") === 3; }; /* before, after the form, and when it is looked for */

		await signedIn("speaks");
		await closed();
		site.on("visit", last);
		const id = await book("F-4", { name: "speaks" });
		const done = await alice.bookingIs(id, ["needs_sign_in", "done"], LIMIT_MS);

		await closed();
		site.off("visit", last);
		assert.equal(done.outcome, "booked", JSON.stringify(done));
		assert.equal(site.visits("/bye"), 1);
	});

	it("says goodbye where the recipe wants that", { timeout: LIMIT_MS }, async () => {
		await signedIn("speaks");
		site.farewell = true;
		const id = await book("F-3", { name: "speaks" });

		await site.visited("/bye", 1);
		site.farewell = false;
		await alice.bookingIs(id, ["needs_sign_in", "done"], LIMIT_MS);
	});
});

describe("the two states of a session", { concurrency: false }, () => {
	beforeEach(fresh);
	afterEach(() => site.reset());

	it("that the site shows it works settles nothing, for the visit may have spent that state; the last one does", { timeout: LIMIT_MS },
		async () => {
			site.rotate = true;
			site.next("/list", "503", "hold"); /* the first browser leaves its state unproved */
			const held = once(site, "held");
			const id = await book("T-0");
			const [, release] = await held;
			const { health, newest_at_ms: newest } = await session();

			assert.equal(health, "working");
			assert.ok(newest, "the state that was tried is to be the newest still, and unproved");
			release();
			await isBooked(id, "T-0");
			await closed();
			assert.equal((await session()).newest_at_ms, undefined);
		});

	it("a moment that takes the cookie away: the state that was last proved is used, before anybody is told",
		{ timeout: LIMIT_MS }, async () => {
			site.next("/desk", "signs out");
			const id = await book("T-1");

			await isBooked(id, "T-1");
			assert.ok((await log(id)).some((text) => /the one that was last proved is tried/.test(text)));
			await closed();
			assert.equal((await session()).newest_at_ms, undefined, "the proof has settled which stays");
		});

	it("but not where an old token ends the session: then the person is asked at once", { timeout: LIMIT_MS }, async () => {
		await signedIn("family");
		site.family = true;
		site.next("/desk", "signs out");
		const id = await book("T-2", { name: "family" });
		const { reason } = await alice.bookingIs(id, ["done", "needs_sign_in"], LIMIT_MS);

		assert.match(reason, /nobody is signed in/);
		assert.ok([...site.sessions.values()].some(({ ended }) => !ended), "the old token was tried");
		assert.ok(!(await log(id)).some((text) => /last proved is tried/.test(text)));
		await signedIn("family");
		await isBooked(id, "T-2", { name: "family" });
	});

	it("a sign-out that lasts is told once, and how long the sign-in lived is kept", { timeout: LIMIT_MS }, async () => {
		site.end("alice");
		const id = await book("T-3");
		const { reason } = await alice.bookingIs(id, ["done", "needs_sign_in"], LIMIT_MS);

		assert.match(reason, /nobody is signed in/);
		const ended = await session();

		assert.equal(ended.health, "needs_sign_in");
		assert.ok(ended.lived_most_ms > 0 && ended.lived_most_ms >= (ended.lived_least_ms ?? 0));
		assert.equal((await log(id)).filter((text) => /Waits for you to sign in/.test(text)).length, 1);
		await signedIn();
		await isBooked(id, "T-3");
		assert.equal((await session()).lived_most_ms, ended.lived_most_ms);
	});
});

describe("a site that is not well", { concurrency: false }, () => {
	beforeEach(fresh);
	afterEach(() => site.reset());

	it("is waited for, longer than any number of tries, as it wishes; told as such, and once", { timeout: LIMIT_MS }, async () => {
		site.next("/who", "503", "503", "cut", "503 after 1");
		const id = await book("O-1");
		const told = await becomes(async () => {
			const one = await alice.booking(id);

			return one.state === "queued" && /not well/.test(one.reason ?? "") ? one : null;
		}, LIMIT_MS, "nobody is told of the outage");

		assert.match(told.reason, /Keeps is not well: .*It is tried again at \d\d:\d\d:\d\d \(UTC\)\./);
		assert.equal((await session()).health, "site_down");
		await isBooked(id, "O-1");
		const lines = await log(id);

		assert.equal(lines.filter((text) => /not well/.test(text)).length, 1, lines.join("\n"));
		assert.ok(lines.some((text) => /Keeps is well again/.test(text)));
		assert.equal(site.left("/who"), 0);
	});

	/* The probe answers all the while: where the list is, and where the site is booked at. */
	for (const [what, path, desk] of [["the list", "/list", "O-3"], ["a step's page", "/desk", "O-4"]])
		it(`only where ${what} is: that the probe is well ends no outage`, { timeout: LIMIT_MS }, async () => {
			const times = [], note = (visited) => visited === path && times.push(Date.now());

			site.next(path, ...Array(3).fill("503"));
			site.on("visit", note);
			const id = await book(desk);

			await isBooked(id, desk);
			site.off("visit", note);
			const lines = await log(id), all = lines.join("\n");
			const of = (pattern) => lines.filter((text) => pattern.test(text)).length;

			assert.equal(of(/not well/), 1, all);
			assert.equal(of(/Keeps is well again; going on/), 1, all);
			assert.equal(of(/Opening a browser/), 1, all);
			assert.ok(of(/Reading your bookings first/) === 1 && of(/Step 1 of/) <= 1, all);
			assert.ok(lines.findIndex((text) => /well again/.test(text)) < lines.findIndex((text) => /Sending it/.test(text)), all);
			assert.ok(times[3] - times[2] >= 4000, `pauses were to grow: ${times.map((at, i) => i && at - times[i - 1])}`);
		});

	it("for as long as the booking makes sense, where only its list is", { timeout: LIMIT_MS }, async () => {
		site.next("/list", ...Array(50).fill("503"));
		const id = await book("O-5");

		await becomes(async () => /not well/.test((await alice.booking(id)).reason ?? ""), LIMIT_MS, "nobody is told of the outage");
		await rig.postgres.sql(`UPDATE jobs.bookings SET inputs = '{"desk":"O-5","date":"2020-01-01"}' WHERE id = ${id}`);
		const done = await alice.bookingIs(id, ["done"], LIMIT_MS);

		assert.match(done.reason, /was not well until the day had passed/);
	});

	it("for as long as the booking makes sense", { timeout: LIMIT_MS }, async () => {
		site.next("/who", ...Array(50).fill("503"));
		const id = await book("O-2", { date: day(0) });

		await becomes(async () => /not well/.test((await alice.booking(id)).reason ?? ""), LIMIT_MS, "nobody is told of the outage");
		await rig.postgres.sql(`UPDATE jobs.bookings SET inputs = '{"desk":"O-2","date":"2020-01-01"}' WHERE id = ${id}`);
		const done = await alice.bookingIs(id, ["done"], LIMIT_MS);

		assert.equal(done.outcome, "failed");
		assert.match(done.reason, /was not well until the day had passed/);
	});
});

describe("what the card says of a session", { concurrency: false }, () => {
	const badge = () => person.card("Keeps").locator(".badge");
	const reads = (text) => person.card("Keeps").getByText(text).waitFor();
	let browser, person;

	before(async () => {
		await rig.postgres.sql("DELETE FROM vault.sessions WHERE site <> 'keeps'; DELETE FROM vault.ends");
		await fresh();
		browser = await openViewer();
		person = new Person(await openWindow(browser), rig.url);
		await person.signInToStead({ name: "alice", password: rig.password });
	});
	after(() => browser?.close());

	const set = (sql) => rig.postgres.sql(`UPDATE vault.sessions SET ${sql} WHERE site = 'keeps'`);

	it("works while that has just been shown, and from then on that it did", { timeout: LIMIT_MS }, async () => {
		await set("proved_at = now(), signed_in_at = now() - interval '1 day'");
		await badge().filter({ hasText: /Works$/ }).waitFor();
		await set("proved_at = now() - interval '3 hours'");
		await badge().filter({ hasText: /Worked 3 hours ago$/ }).waitFor();
		await picture(person.page, "card-worked");
	});

	it("may have ended once others had that were left alone as long; how long they lived", { timeout: LIMIT_MS }, async () => {
		await rig.postgres.sql(`INSERT INTO vault.ends SELECT id, user_id, now() - interval '50 h', now() - interval '42 h', now() - interval '40 h'
			FROM vault.sessions WHERE site = 'keeps'`);
		await set("proved_at = now() - interval '3 hours', signed_in_at = now() - interval '1 day'");
		await badge().filter({ hasText: /May have ended$/ }).waitFor();
		await reads(/last showed that it works 3 hours ago; sign-ins have ended after as long/);
		await reads("8 hours to 10 hours");
		await picture(person.page, "card-may-have-ended");
		await set("proved_at = now() - interval '1 hour', signed_in_at = now() - interval '2 hours'");
		await badge().filter({ hasText: /Worked 1 hour ago$/ }).waitFor();
	});

	it("since when it has been used without a proof, and what is the matter", { timeout: LIMIT_MS }, async () => {
		await set(`health = 'site_down', reason = 'Keeps is not well: it answers 503.', last_version = last_version + 1,
			newest_version = last_version + 1, newest_at = now(), newest_key_id = key_id, newest_envelope = envelope`);
		await badge().filter({ hasText: /The site is not well$/ }).waitFor();
		await reads("Keeps is not well: it answers 503.");
		await reads(/just now.*, not proved again/);
		await picture(person.page, "card-site-down");
	});

	it("nothing of it while the vault is away", { timeout: LIMIT_MS }, async () => {
		await set("health = 'working', reason = NULL, proved_at = now()");
		await badge().filter({ hasText: /Works$/ }).waitFor();
		await rig.daemon("sessiond").stop();
		await badge().filter({ hasText: /Not known just now$/ }).waitFor();
		await rig.daemon("sessiond").start();
		await badge().filter({ hasText: /Works$/ }).waitFor();
	});
});

describe("a browser that is slow to close", { concurrency: false }, () => {
	it("keeps nobody else's booking waiting", { timeout: LIMIT_MS }, async () => {
		const bob = await rig.login("bob");

		site.account = "bob";
		await signedIn("keeps", bob);
		site.account = "alice";
		await signedIn("patient");
		await closed();
		await rig.restart("botd", { workers: 1 });
		site.next("/who", "well", "hold"); /* as the browser is opened, and before it is closed */
		const held = once(site, "held");
		const id = await book("C-1", { name: "patient" });
		const [response, release] = await held;

		await isBooked(id, "C-1", { name: "patient" });
		const other = await book("C-2", { person: bob });

		await bob.bookingIs(other, ["running", "done"], LIMIT_MS);
		assert.equal(response.destroyed, false, "the first browser was to be there still");
		release();
		await isBooked(other, "C-2", { person: bob });
	});
});
