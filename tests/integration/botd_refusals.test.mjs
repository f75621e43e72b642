/*
 * botd where something says no: a page in words that no row can hold, a database that refuses a write or loses its
 * connection, one person's many bookings in another's way. Whatever it is, the button at the site is pressed once.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import { becomes, day, startRig } from "../e2e/rig.mjs";

const LONG_MS = 600_000;

let rig, alice;

const ended = (id) => alice.bookingIs(id, ["done"], LONG_MS);
const control = (path, body) => rig.sites.control(path, body);

/* What was done for a booking, checked for gaps. */
async function log(id)
{
	const { lines } = await alice.must("GET", `/bookings/${id}/log`);

	lines.forEach(({ n }, i) => assert.equal(n, i + 1, "the lines are numbered without gaps"));
	return lines;
}

async function listed(desk, date)
{
	return (await rig.booked()).filter((row) => row.desk === desk && row.date === date).length;
}

before(async () => {
	rig = await startRig({ widget: false, recipe: (desk) => {
		desk.settle.quiet_ms = 500;
		Object.assign(desk.actions.book.list, { patience_ms: 500, confirm_ms: 3000 }); /* once more in the same browser, and in a fresh one */
	} });
	alice = await rig.login("alice");
	await alice.savedSignIn();
});

after(() => rig?.stop());

/* Whatever comes of it, the button has been pressed once. Resolves to the booking. */
async function pressedOnce(inputs, work = () => {})
{
	const { id } = await alice.book(inputs);

	await work(id);
	const done = await ended(id);
	const { asked } = await control("/state");

	assert.equal(asked.filter(({ date }) => date === inputs.date).length, 1, "it was to be sent exactly once");
	await log(id);
	return done;
}

const NO_CONTROL = /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]*$/u;

describe("what a page says may be anything", () => {
	/* All but the first in words that the recipe knows, so that the list is read once. */
	const KNOWN = "You have reached your limit. ";
	const ODD = [
		`no ${"\ud83d".repeat(80)} yes \udc00 ${"😀".repeat(30)}`, /* halves of characters */
		`\u202egnorw si ti\u202c \u2067${"א".repeat(30)}`, /* marks that turn the text around */
		`\u0000\u0007\u001b[31mred\u001b[0m\u0085\u2028${"\u0001é".repeat(300)}`, /* control characters */
	];
	const SAYS = {
		"four hundred umlauts": "ä".repeat(400),
		"a megabyte": `${KNOWN}${"A sentence with an ü in it. ".repeat(36_000)}`,
		"halves of characters, marks of direction, control characters": KNOWN + ODD.join(" "),
	};

	afterEach(() => control("/knobs", { complaint: "" }));

	for (const [i, [name, complaint]] of Object.entries(SAYS).entries())
		test(`${name}: quoted in the reason and the log, and the button is pressed once`, { timeout: LONG_MS }, async () => {
			await control("/knobs", { complaint });
			const done = await pressedOnce({ date: day(5 + i), desk: "D-101", floor: "1" });

			assert.equal(done.outcome, i === 0 ? "unconfirmed" : "limit");
			assert.match(done.reason, /^(It was sent, but is not among your bookings at Deskwise; )?Deskwise says: "/);
			assert.match(done.reason, NO_CONTROL);
			assert.ok(i === 0 || done.attempts === 1);
			for (const { text } of await log(done.id))
				assert.match(text, NO_CONTROL);
		});
});

/* A booking that is not due before tomorrow. */
const later = (user, key) => rig.postgres.sql(`WITH j AS (INSERT INTO jobs.jobs (user_id, kind, queue, lane, key, state, due_at)
	VALUES (${user}, 'booking', 'desk', 'desk', '${key}', 'scheduled', now() + interval '1 d') RETURNING id)
	INSERT INTO jobs.bookings (id, user_id, site, action, title, inputs) SELECT id, ${user}, 'desk', 'book', 'Later', '{}' FROM j RETURNING id`);

/* What the database shall refuse: a condition on the row of a table, while work() goes on. */
async function refusing(table, event, condition, work)
{
	await rig.postgres.sql(`CREATE FUNCTION public.sent(job bigint) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS
		'SELECT intent_at IS NOT NULL FROM jobs.bookings WHERE id = job';
		CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'the test refuses this' USING ERRCODE = 'check_violation'; END $$;
		CREATE TRIGGER refuse BEFORE ${event} ON jobs.${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION public.refuse()`);
	try {
		return await work();
	} finally {
		await rig.postgres.sql("DROP FUNCTION public.refuse() CASCADE; DROP FUNCTION public.sent(bigint)");
	}
}

describe("what the database refuses", () => {
	const TRIES = 2;
	const refusals = (id) => readFileSync(join(rig.stack.dir, "log/botd.log"), "utf8").split(`booking ${id}: the database refused a write`).length - 1;

	before(() => rig.restart("botd", { tries: TRIES, lease_ms: 4000, retry_ms: 100 }));
	after(() => rig.restart("botd", { tries: undefined, lease_ms: undefined, retry_ms: undefined }));
	afterEach(() => control("/knobs", { complaint: "" }));

	test("a line before the act: it is tried again, counted, and ends as failed", { timeout: LONG_MS }, async () => {
		await refusing("lines", "INSERT", "NEW.text LIKE 'Step 2 of%'", async () => {
			const { id } = await alice.book({ date: day(10), desk: "D-201" });
			const done = await ended(id);

			assert.equal(done.outcome, "failed");
			assert.match(done.reason, /^Given up after 2 tries; the last one: Stead's database did not take/);
			assert.equal(done.attempts, TRIES);
		});
		assert.ok(!(await control("/state")).asked.some(({ date }) => date === day(10)), "nothing was to be sent");
	});

	test("a line after the act: the site's list tells what came of it", { timeout: LONG_MS }, async () => {
		await refusing("lines", "INSERT", "NEW.text LIKE 'Reading your bookings to see%'", async () => {
			const done = await pressedOnce({ date: day(11), desk: "D-201" });

			assert.equal(done.outcome, "booked");
		});
		assert.equal(await listed("D-201", day(11)), 1);
	});

	test("how it ended: the end is written without the words", { timeout: LONG_MS }, async () => {
		await control("/knobs", { complaint: "already taken: refuse these words" });
		await refusing("jobs", "UPDATE", "NEW.reason LIKE '%refuse these words%'", async () => {
			const done = await pressedOnce({ date: day(12), desk: "D-201" });

			assert.equal(done.outcome, "full");
			assert.match(done.reason, /^Stead's database did not take/);
		});
	});

	test("and whatever line is written of it: without any", { timeout: LONG_MS }, async () => {
		await control("/knobs", { complaint: "already taken" });
		await refusing("lines", "INSERT", "NEW.text LIKE 'Ended%' OR NEW.text LIKE 'Stead%'", async () => {
			assert.equal((await pressedOnce({ date: day(13), desk: "D-201" })).outcome, "full");
		});
	});

	test("even that it has ended: it is not sent again, and ends when the database lets it", { timeout: LONG_MS }, async () => {
		await control("/knobs", { complaint: "already taken" });
		const done = await pressedOnce({ date: day(14), desk: "D-201" }, (id) =>
			refusing("jobs", "UPDATE", "OLD.state = 'running' AND NEW.state <> 'running' AND public.sent(OLD.id)", () =>
				becomes(() => refusals(id) >= 5, LONG_MS, "it was to be looked at a second time")));

		assert.equal(done.outcome, "unconfirmed");
	});

	/* Its beginning prolongs it by what passed since it was claimed; a beat, by a second. */
	test("the lease's prolonging after the act: it is not sent again", { timeout: LONG_MS }, async () => {
		await control("/knobs", { accept_but_drop: 1 });
		const done = await pressedOnce({ date: day(15), desk: "D-201" }, (id) => refusing("jobs", "UPDATE",
			"NEW.state = 'running' AND OLD.attempt = NEW.attempt AND NEW.lease_until - OLD.lease_until > interval '500 ms' AND public.sent(OLD.id)",
			() => becomes(() => refusals(id) >= 1, LONG_MS, "it was to be refused")));

		assert.equal(done.outcome, "unconfirmed");
	});
});

describe("many bookings of one person", () => {
	let bob;

	before(async () => {
		bob = await rig.login("bob");
		await bob.savedSignIn();
	});
	after(() => rig.restart("botd", { workers: undefined, most_per_minute: undefined }));

	/* By the order in which they were started, whatever the time that took. */
	test("let another person's one through after a few", { timeout: LONG_MS }, async () => {
		await rig.restart("botd", { workers: 1, most_per_minute: 1000 });
		const many = [];

		for (let i = 0; i < 60; i++)
			many.push(await alice.book({ date: day(16 + i % 3), floor: String(1 + i % 3), desk: `D-${100 * (1 + i % 3) + 1}` }, `many-${i}`));
		await alice.bookingIs(many[0].id, ["running", "done"], LONG_MS);
		const { id } = await bob.book({ date: day(16), desk: "D-222" });

		assert.equal((await bob.bookingIs(id, ["done"], LONG_MS)).outcome, "booked");
		const before = Number(await rig.postgres.sql(`SELECT count(*) FROM jobs.lines l, jobs.jobs b, jobs.lines s
			WHERE b.id = ${id} AND s.job_id = b.id AND s.text LIKE 'Opening a browser%' AND l.user_id <> b.user_id
			AND l.at BETWEEN b.created_at AND s.at AND (l.text LIKE 'Opening a browser%' OR l.text LIKE 'Going on in the browser%')`));

		assert.ok(before <= 5, `${before} of alice's were started before it`);
		for (const one of many)
			await alice.call("POST", `/bookings/${one.id}/cancel`, {});
		await becomes(async () => (await Promise.all(many.map(({ id: one }) => alice.booking(one))))
			.every(({ state }) => ["done", "cancelled"].includes(state)), LONG_MS, "the others were to end");
	});

	test("are so many in a minute, and the answer says when to go on", { timeout: LONG_MS }, async () => {
		await rig.postgres.sql("UPDATE jobs.jobs SET created_at = created_at - interval '2 min'");
		await rig.restart("botd", { most_per_minute: 3 });
		const ask = (i) => bob.call("POST", "/bookings", { key: `capped-${i}`, site: "desk", action: "book",
			inputs: { date: day(17), desk: "D-223" } });
		const answers = [];

		for (let i = 0; i < 5; i++)
			answers.push(await ask(i));
		assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 429, 429]);
		const wait = Number(answers[4].headers["retry-after"]);

		assert.ok(wait >= 1 && wait <= 60, `Retry-After: ${wait}`);
		assert.match(answers[4].body.error.message, /asked for 3 bookings within a minute.*not kept.*again in \d+ seconds/);
		assert.equal((await ask(2)).body.booking.id, answers[2].body.booking.id, "what was kept is answered again");
		assert.equal(await rig.postgres.sql("SELECT count(*) FROM jobs.jobs WHERE key LIKE 'capped-%'"), "3");
		assert.equal((await alice.call("POST", "/bookings", { key: "not-bob's", site: "desk", action: "book",
			inputs: { date: day(17), desk: "D-223" } })).status, 200);
		await rig.postgres.sql("UPDATE jobs.jobs SET created_at = created_at - interval '1 min' WHERE key LIKE 'capped-%'");
		assert.equal((await ask(4)).status, 200);
	});
});

describe("what the daemon says", () => {
	const said = (words) => readFileSync(join(rig.stack.dir, "log/botd.log"), "utf8").split(words).length - 1;

	test("once that it cannot claim, and once that it can again", { timeout: LONG_MS }, async () => {
		const [failed, again] = ["no job can be claimed", "jobs can be claimed again"].map((words) => said(words));

		await rig.postgres.sql("REVOKE UPDATE (state) ON jobs.jobs FROM stead_claimer");
		const { id } = await alice.book({ date: day(18), desk: "D-224" });

		await becomes(() => said("no job can be claimed") > failed, LONG_MS, "it was to be said");
		assert.match(readFileSync(join(rig.stack.dir, "log/botd.log"), "utf8"), /no job can be claimed.*permission denied/);
		await rig.postgres.sql("GRANT UPDATE (state) ON jobs.jobs TO stead_claimer");
		await becomes(() => said("jobs can be claimed again") > again, LONG_MS, "and that was to be said");
		assert.equal((await ended(id)).outcome, "booked");
		assert.deepEqual(["no job can be claimed", "jobs can be claimed again"].map((words) => said(words)), [failed + 1, again + 1]);
	});
});

describe("authd is lost", () => {
	test("what it had heard may have been done, unless that only reads", { timeout: LONG_MS }, async () => {
		const free = await rig.locked("authd.logins");
		const under = [alice.call("POST", "/bookings/1/cancel", {}), alice.call("GET", "/bookings")];

		await becomes(async () => await rig.postgres.sql(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
			AND query LIKE '%FROM logins l JOIN users%'`) === "2", LONG_MS, "both were to be looked at");
		await rig.daemon("authd").kill();
		const [changes, reads] = await Promise.all(under);
		const unheard = await alice.call("POST", "/bookings/1/cancel", {});

		await free();
		await rig.daemon("authd").start();
		assert.deepEqual([changes, reads, unheard].map(({ status, body, headers }) =>
			[status, body.error.code, headers["retry-after"]]),
		[[503, "maybe_done", undefined], [503, "unavailable", "1"], [503, "unavailable", "1"]]);
	});
});

describe("the database is lost", () => {
	const LOCK = 8877;

	/* COMMIT waits until somebody lets it. */
	before(() => rig.postgres.sql(`CREATE FUNCTION public.held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		PERFORM pg_advisory_xact_lock(${LOCK}); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER held AFTER INSERT OR UPDATE ON jobs.jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		WHEN (NEW.key LIKE 'lost-%') EXECUTE FUNCTION public.held()`));
	after(async () => {
		await rig.postgres.sql("DROP FUNCTION public.held() CASCADE");
		await rig.postgres.sql("DELETE FROM jobs.jobs WHERE key LIKE 'lost-%'");
	});

	async function holder()
	{
		const session = rig.postgres.session();

		await session.sql(`SELECT pg_advisory_lock(${LOCK})`);
		return session;
	}

	/* And does not come back before the answer is there. */
	async function lostUnder(call)
	{
		await rig.postgres.kill();
		const { status, body, headers } = await call;

		await rig.postgres.start();
		await becomes(async () => (await alice.call("GET", "/bookings")).status === 200, LONG_MS, "all was to go on");
		assert.equal(status, 503);
		assert.equal(body.error.code, "maybe_done");
		assert.equal(headers["retry-after"], undefined);
		return body.error.message;
	}

	test("as a booking is kept, and stays away: nobody says that it was not", { timeout: LONG_MS }, async () => {
		await holder();
		const asked = alice.call("POST", "/bookings", { key: "lost-1", site: "desk", action: "book",
			inputs: { date: day(18), desk: "D-226" } });

		await rig.waitsForLock("stead_botd");
		assert.match(await lostUnder(asked), /repeat the same request with the same key/);
	});

	test("once one was withdrawn, before it is read: nobody says that nothing was changed", { timeout: LONG_MS }, async () => {
		const { id: user } = await alice.must("GET", "/account");
		const id = await later(user, "lost-2");
		const [first, second] = [await holder(), rig.postgres.session()];
		const withdrawn = alice.call("POST", `/bookings/${id}/cancel`, {});

		await rig.waitsForLock("stead_botd");
		await second.sql("BEGIN");
		const locked = second.sql("LOCK TABLE jobs.bookings IN ACCESS EXCLUSIVE MODE");

		await rig.waitsForLock("postgres");
		await first.sql(`SELECT pg_advisory_unlock(${LOCK})`);
		await locked;
		await rig.waitsForLock("stead_botd");
		assert.match(await lostUnder(withdrawn), /look at it before you repeat|look before you repeat/);
		assert.equal(await rig.postgres.sql(`SELECT state FROM jobs.jobs WHERE id = ${id}`), "cancelled");
	});
});

describe("the connection to the database is cut after COMMIT was sent", () => {
	const pid = "SELECT pid FROM pg_stat_activity WHERE usename = 'stead_botd' AND wait_event = 'PgSleep'";

	/* COMMIT takes its time, because of what is put off until then. */
	before(() => rig.postgres.sql(`CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		PERFORM pg_sleep(60); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON jobs.jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		WHEN (NEW.state = 'cancelled') EXECUTE FUNCTION public.slow()`));
	after(() => rig.postgres.sql("DROP FUNCTION public.slow() CASCADE"));

	test("what was asked for may have been done, and that is what the answer says", { timeout: LONG_MS }, async () => {
		const { id: own } = await alice.book({ date: day(19), desk: "D-225" });
		const user = await rig.postgres.sql(`SELECT user_id FROM jobs.bookings WHERE id = ${own}`);
		const id = await later(user, "in-doubt");
		const withdrawn = alice.call("POST", `/bookings/${id}/cancel`, {});

		await becomes(() => rig.postgres.sql(pid), LONG_MS, "it was to be committed");
		await rig.postgres.sql(`SELECT pg_terminate_backend(pid) FROM (${pid}) s`);
		const { status, headers, body } = await withdrawn;

		assert.equal(status, 503);
		assert.equal(body.error.code, "maybe_done");
		assert.match(body.error.message, /may have been done; look before you repeat it/);
		assert.equal(headers["retry-after"], undefined);
		await rig.postgres.sql(`DELETE FROM jobs.jobs WHERE id = ${id}`);
	});
});
