/*
 * PostgreSQL that is down when the daemons start, and that is restarted three times with a hundred and fifty bookings under way,
 * while botd and streamd are killed: every booking that was acknowledged stands exactly once on the site's own list.
 */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, before, describe, it } from "node:test";

import { becomes, day, LIMIT_MS, startRig } from "./rig.mjs";

const DAEMONS = ["authd", "sessiond", "streamd", "botd"];
const JOBS = 150;
const ALL_MS = 1_200_000;
const AT_ONCE = 16;

let rig, alice;

/* Its calendar is tried elsewhere; an address that names the day leads to the plan, too. */
function withoutCalendar(desk)
{
	const { steps } = desk.actions.book;
	const [open] = steps.splice(0, steps.findIndex(({ say }) => say === "wait for the floor plan"));

	desk.settle.quiet_ms = 500;
	steps.unshift({ ...open, url: `${open.url}?date={date}` });
}

before(async () => {
	rig = await startRig({ widget: false, recipe: withoutCalendar });
	alice = await rig.login("alice");
});
after(() => rig?.stop());

describe("PostgreSQL is down when the daemons start", { concurrency: false }, () => {
	before(async () => {
		await Promise.all(DAEMONS.map((name) => rig.daemon(name).stop()));
		await rig.postgres.kill();
		for (const name of DAEMONS)
			await rig.daemon(name).start();
	});

	it("what needs it is answered with 503 and a sentence", async () => {
		for (const path of ["/account", "/sessions", "/bookings"]) {
			const { status, body } = await alice.call("GET", path);

			assert.equal(status, 503, path);
			assert.equal(body.error.code, "database_down");
			assert.match(body.error.message, /database is not reachable.*try again/);
		}
		const { status, body } = await rig.visitor("alice").call("POST", "/login", { name: "alice", password: "x".repeat(16) });

		assert.equal(status, 503);
		assert.equal(body.error.code, "database_down");
	});

	it("steadctl status says which daemons miss it, and why", async () => {
		const states = await rig.status();

		for (const name of ["authd", "sessiond", "botd"]) {
			assert.equal(states[name].database, false, name);
			assert.match(states[name].database_trouble, /[a-z] [a-z]/, name);
		}
	});

	it("once it is there all goes on, without a restart", { timeout: LIMIT_MS }, async () => {
		const pids = DAEMONS.map((name) => rig.daemon(name).pid);

		await rig.postgres.start();
		await becomes(async () => (await alice.call("GET", "/bookings")).status === 200
			&& (await alice.call("GET", "/sessions")).status === 200, 10_000, "it was not found again");
		assert.deepEqual(DAEMONS.map((name) => rig.daemon(name).pid), pids);
		await alice.savedSignIn();
		for (const { database = true } of Object.values(await rig.status()))
			assert.equal(database, true);
	});
});

/* So many desks that nobody owns, on so many days: what each of the bookings asks for. */
function wishes()
{
	const desks = [1, 2, 3].flatMap((floor) => Array.from({ length: 24 }, (_, i) => i + 1)
		.filter((number) => number % 7)
		.map((number) => ({ building: "1", floor: String(floor), desk: `D-${floor * 100 + number}` })));
	const days = [1, 2, 3, 4].map((n) => day(n));

	return days.flatMap((date) => desks.map((desk) => ({ ...desk, date }))).slice(0, JOBS);
}

/* Asked for until it is acknowledged, as a page would: with the same key. Resolves to { id, tries }. */
async function ask(person, inputs)
{
	let tries = 0, said;

	const booking = await becomes(async () => {
		const answer = await person.call("POST", "/bookings",
			{ key: `${person.name}-${inputs.desk}-${inputs.date}`, site: "desk", action: "book", inputs })
			.catch((error) => ({ status: 0, body: error.message }));

		tries += 1;
		said = answer;
		if (answer.status >= 200 && answer.status < 300)
			return answer.body.booking;
		assert.ok([0, 503, 504].includes(answer.status), `${answer.status} ${JSON.stringify(answer.body)}`);
		return null;
	}, LIMIT_MS, () => `booking ${inputs.desk} on ${inputs.date} was not acknowledged: ${JSON.stringify(said)}`);

	return { id: booking.id, inputs, person, tries };
}

/* count(n): so many are done. */
async function inParallel(items, most, work, count)
{
	const queue = [...items], done = [];

	await Promise.all(Array.from({ length: most }, async () => {
		while (queue.length) {
			done.push(await work(queue.shift()));
			count(done.length);
		}
	}));
	return done;
}

describe("PostgreSQL is restarted with a hundred and fifty bookings under way", { concurrency: false }, () => {
	let people, acknowledged;

	/* alice's was saved above */
	before(async () => {
		const bob = await rig.login("bob");

		await bob.savedSignIn();
		people = [alice, bob];
	}, { timeout: LIMIT_MS });

	/* Resolves when the site has taken so many. */
	const taken = (n) => rig.sites.control(`/wait?count=accepted&at_least=${n}&timeout_ms=${ALL_MS}`);

	it("each is acknowledged, and ends as booked", { timeout: ALL_MS + 60_000 }, async (t) => {
		const begun = Date.now();
		const asking = new EventEmitter();
		const asked = inParallel(wishes().map((inputs, i) => ({ inputs, person: people[i % people.length] })), AT_ONCE,
			({ person, inputs }) => ask(person, inputs), (n) => asking.emit(`asked ${n}`));

		const [some, many, most] = [30, 70, 120].map((n) => once(asking, `asked ${n}`)); /* heard from now on */

		asked.catch(() => {});
		await some;
		await rig.postgres.restart();
		await many;
		await rig.daemon("botd").kill("SIGKILL");
		await rig.daemon("botd").start();
		await most;
		await rig.daemon("authd").kill("SIGKILL");
		await rig.daemon("authd").start();
		acknowledged = await asked;
		t.diagnostic(`${JOBS} acknowledged after ${Date.now() - begun} ms, ${
			acknowledged.filter(({ tries }) => tries > 1).length} of them asked for more than once`);
		assert.ok(acknowledged.some(({ tries }) => tries > 1), "an answer was to be lost");
		await taken(20);
		await rig.postgres.kill(); /* an immediate shutdown */
		await rig.postgres.start();
		await taken(50);
		await rig.daemon("botd").kill("SIGKILL");
		await rig.daemon("botd").start();
		await taken(80);
		await rig.postgres.restart();
		await rig.postgres.restart(); /* and at once again */
		await taken(110);
		await rig.daemon("streamd").kill("SIGKILL");
		await rig.daemon("streamd").start();
		for (const one of acknowledged) {
			const { outcome, reason } = await one.person.bookingIs(one.id, ["done"],
				Math.max(1000, ALL_MS - (Date.now() - begun)));

			assert.equal(outcome, "booked", `booking ${one.id}: ${reason}`);
		}
		assert.equal(new Set(acknowledged.map(({ id }) => id)).size, JOBS);
		t.diagnostic(`all booked after ${Date.now() - begun} ms`);
	});

	it("each stands exactly once on the site's own list", async () => {
		const { bookings, accepted } = await rig.sites.control("/state");
		const times = (rows, { desk, date }) => rows.filter((row) => row.desk === desk && row.date === date).length;

		for (const { id, inputs } of acknowledged)
			assert.equal(times(bookings, inputs), 1, `booking ${id}, ${inputs.desk} on ${inputs.date}`);
		assert.equal(bookings.length, JOBS, "and nothing else");
		assert.equal(accepted.length, JOBS, "the site was asked to book each once");
	});

	it("each has its log without a gap, and was sent only once the list was known", async () => {
		for (const { id, person } of acknowledged) {
			const { lines, more } = await person.must("GET", `/bookings/${id}/log`);

			assert.equal(more, false);
			assert.deepEqual(lines.map(({ n }) => n), lines.map((_, i) => i + 1), `booking ${id}`);
			/* Those that one browser did one after another as well. */
			assert.ok(lines.some(({ text }) => /^(Opening a browser|Going on in the browser)/.test(text)), `booking ${id}`);
			assert.ok(lines.some(({ text }) => /^(Reading your bookings first|Your bookings have just been read|An earlier attempt)/
				.test(text)), `booking ${id}`);
		}
	});

	it("the same keys give the same bookings, and no others", async () => {
		const [{ person, inputs, id }] = acknowledged;

		assert.equal((await ask(person, inputs)).id, id);
		assert.equal(await rig.postgres.sql("SELECT count(*) FROM jobs.bookings"), String(JOBS));
	});

	it("no browser is left", { timeout: LIMIT_MS }, async () => {
		await becomes(async () => rig.browserProcesses().length === 0, 60_000, "browsers are still running");
		assert.deepEqual(rig.profiles(), []);
	});
});
