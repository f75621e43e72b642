/*
 * botd with everything that it works with: the real streamd and its browsers, the vault, PostgreSQL, the stand-in site.
 * What counts is the site's own list: every booking that was acknowledged stands there once, whatever is killed.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { becomes, day, startRig } from "../e2e/rig.mjs";

const LONG_MS = 600_000;

let rig, alice;

const ended = (id) => alice.bookingIs(id, ["done"], LONG_MS);
const control = (path, body) => rig.sites.control(path, body);

/* What was done for a booking, checked for gaps. */
async function log(id, past = 0)
{
	const { lines, more } = await alice.must("GET", `/bookings/${id}/log?after=${past}`);

	assert.equal(more, false);
	lines.forEach(({ n }, i) => assert.equal(n, past + i + 1, "the lines are numbered without gaps"));
	return lines;
}

async function listed(desk, date)
{
	return (await rig.booked()).filter((row) => row.desk === desk && row.date === date).length;
}

async function reached(count, at_least = 1)
{
	const answer = await control(`/wait?count=${count}&at_least=${at_least}&timeout_ms=60000`);

	assert.ok(answer.reached, `the site was to count ${at_least} ${count}`);
}

async function count(name)
{
	return (await control("/state")).counts[name];
}

before(async () => {
	rig = await startRig({ widget: false, recipe: (desk) => {
		desk.settle.quiet_ms = 500;
		desk.actions.book.list.confirm_ms = 15000;
		desk.actions.book.answer_ms = 5000;
	} });
	alice = await rig.login("alice");
});

after(() => rig?.stop());

describe("a person signs in once", () => {
	test("a booking waits for the sign-in and goes on by itself", async () => {
		const { id } = await alice.book({ date: day(1), desk: "D-201" });
		const waiting = await alice.bookingIs(id, ["needs_sign_in"]);

		assert.match(waiting.reason, /no session for Deskwise yet; sign in to it/);
		await alice.savedSignIn();
		const done = await ended(id);

		assert.equal(done.outcome, "booked");
		assert.equal(done.attempts, 1);
		assert.equal(await listed("D-201", day(1)), 1);
		const lines = await log(id);

		assert.ok(lines.some(({ text }) => /signed in again/.test(text)));
		assert.deepEqual(await log(id, 3), lines.slice(3));
	});
});

describe("what the site says", () => {
	let twice, again, taken, missing;

	/* What does not depend on each other is asked for at once: one browser does them one after another. */
	before(async () => {
		twice = await alice.book({ date: day(1), desk: "D-202" }, "same-key");
		again = await alice.book({ date: day(1), desk: "D-201" }, "again");
		taken = await alice.book({ date: day(1), desk: "D-207" });
		missing = await alice.book({ date: day(1), desk: "D-999" });
	});
	afterEach(() => control("/knobs", { accept_but_drop: 0, accept_then_hang: 0, booking_limit: 0, rotate: false }));

	test("the same key is the same booking, and another booking is refused under it", async () => {
		assert.equal((await alice.book({ date: day(1), desk: "D-202" }, "same-key")).id, twice.id);
		const other = await alice.call("POST", "/bookings", { key: "same-key", site: "desk", action: "book",
			inputs: { date: day(2), desk: "D-202" } });

		assert.equal(other.status, 409);
		assert.equal((await ended(twice.id)).outcome, "booked");
		assert.equal(await listed("D-202", day(1)), 1);
	});

	test("a form is told which days can be asked for", async () => {
		const { body } = await alice.call("GET", "/sites");
		const date = body.sites.find(({ name }) => name === "desk").actions[0].inputs.find(({ type }) => type === "date");
		const asked = async (value) => (await alice.call("POST", "/bookings", { key: `day ${value}`, site: "desk", action: "book",
			inputs: { desk: "D-1", date: value } })).body.error?.field;

		assert.equal((Date.parse(date.latest) - Date.parse(date.earliest)) / 86_400_000, 28);
		for (const outside of [new Date(Date.parse(date.earliest) - 86_400_000), new Date(Date.parse(date.latest) + 86_400_000)])
			assert.equal(await asked(outside.toISOString().slice(0, 10)), "inputs.date");
		assert.ok(Date.now() - Date.parse(date.earliest) < 2 * 86_400_000, "that is not today");
	});

	test("inputs are checked against the recipe, and named", async () => {
		for (const [inputs, field] of [[{ date: "2025-02-30", desk: "D-1" }, "inputs.date"],
			[{ date: day(300), desk: "D-1" }, "inputs.date"], [{ date: day(1) }, "inputs.desk"],
			[{ date: day(1), desk: "D-1", colour: "red" }, "inputs.colour"]]) {
			const { status, body } = await alice.call("POST", "/bookings", { key: "bad", site: "desk", action: "book",
				inputs });

			assert.equal(status, 400);
			assert.equal(body.error.field ?? body.field, field);
		}
	});

	test("what stands in the list already is not sent", async () => {
		assert.equal((await ended(again.id)).outcome, "already_booked");
		assert.equal((await control("/state")).accepted.filter(({ desk }) => desk === "D-201").length, 1);
	});

	test("a desk that is taken is full, with the site's words and a picture", async () => {
		const done = await ended(taken.id);

		assert.equal(done.outcome, "full");
		assert.match(done.reason, /already taken/);
		assert.equal(done.picture, true);
		assert.equal(await listed("D-207", day(1)), 0);
	});

	test("a desk that there is not: a sentence for the person, and what was missing for the administrator", async () => {
		const done = await ended(missing.id);

		assert.equal(done.outcome, "failed");
		assert.match(done.reason, /^Stead could not choose desk D-999 at Deskwise\. Perhaps there is no such thing there/);
		assert.doesNotMatch(done.reason, /floorImage/);
		assert.equal(done.picture, true);
		assert.ok((await log(missing.id)).some(({ text }) => /did not work: .*#floorImage circle/.test(text)));
	});

	test("a limit is a limit", async () => {
		await control("/knobs", { booking_limit: 1 });
		const { id } = await alice.book({ date: day(2), desk: "D-201" });

		assert.equal((await ended(id)).outcome, "limit");
	});

	test("a success that is not in the list is unconfirmed, and can be tried again", async () => {
		await control("/knobs", { accept_but_drop: 1 });
		const { id } = await alice.book({ date: day(2), desk: "D-202" });

		assert.equal((await ended(id)).outcome, "unconfirmed");
		assert.equal(await listed("D-202", day(2)), 0);
		await alice.must("POST", `/bookings/${id}/retry`, { twice: true });
		await becomes(async () => (await alice.booking(id)).outcome === "booked", LONG_MS, "the second try was to be booked");
		assert.equal(await listed("D-202", day(2)), 1);
		assert.ok((await log(id)).some(({ text }) => /looked for again/.test(text)));
	});

	test("an answer that never comes is settled by the list", async () => {
		await control("/knobs", { accept_then_hang: 1 });
		const { id } = await alice.book({ date: day(2), desk: "D-203" });

		assert.equal((await ended(id)).outcome, "booked");
		assert.equal(await listed("D-203", day(2)), 1);
		/* In a page beside the one that waits, signed in as that: not only by a fresh browser, later. */
		assert.equal((await log(id)).filter(({ text }) => /again|fresh browser/.test(text)).length, 0);
	});

	test("tokens that each page rotates survive from run to run", async () => {
		await control("/knobs", { rotate: true });
		for (const desk of ["D-204", "D-205"]) {
			const { id } = await alice.book({ date: day(2), desk });

			assert.equal((await ended(id)).outcome, "booked");
		}
	});
});

describe("what is killed", () => {
	afterEach(() => control("/knobs", { accept_then_hang: 0 }));

	for (const [name, desk] of [["botd", "D-208"], ["streamd", "D-209"], ["sessiond", "D-210"]])
		test(`${name}, when the booking has been sent and nobody knows what has come of it`, async () => {
			const hung = await count("hung");

			await control("/knobs", { accept_then_hang: 1 });
			const { id } = await alice.book({ date: day(3), desk });

			await reached("hung", hung + 1);
			await rig.daemon(name).kill("SIGKILL");
			await rig.daemon(name).start();
			const done = await ended(id);

			assert.equal(done.outcome, "booked", done.reason);
			assert.equal(await listed(desk, day(3)), 1);
			for (const { text } of await log(id))
				assert.doesNotMatch(text, /before you repeat/, "what to do about it is not the person's to find out");
		});
});

describe("a session that has ended", () => {
	test("waits across a restart of botd, and goes on after the sign-in", async () => {
		await control("/expire", { login: "alice" });
		const { id } = await alice.book({ date: day(20), desk: "D-211" });
		const waiting = await alice.bookingIs(id, ["needs_sign_in"], LONG_MS);

		assert.ok(waiting.reason.length > 10);
		const [session] = await alice.sessions();

		assert.equal(session.health, "needs_sign_in");
		await rig.daemon("botd").kill("SIGKILL");
		await alice.savedSignIn();
		await rig.daemon("botd").start();
		assert.equal((await ended(id)).outcome, "booked");
		assert.equal(await listed("D-211", day(20)), 1);
	});

	/* The save is told of while the job is still at work and waits for nothing; whichever comes first, it is booked. */
	test("and is signed in to again while a job finds it out: that job goes on, too", async () => {
		await control("/expire", { login: "alice" });
		const signIn = await alice.open();

		await signIn.toSso();
		await signIn.passwordTyped();
		await signIn.codeTyped();
		await signIn.reaches("proving");
		await setTimeout(2800); /* about as long as the proof needs, so that the job has fetched the old one */
		const { id } = await alice.book({ date: day(19), desk: "D-211" });

		await signIn.reaches("saved");
		assert.equal((await ended(id)).outcome, "booked");
	});

	test("a booking that waits can be withdrawn", async () => {
		await control("/expire", { login: "alice" });
		const { id } = await alice.book({ date: day(20), desk: "D-212" });

		await alice.bookingIs(id, ["needs_sign_in"], LONG_MS);
		assert.equal((await alice.must("POST", `/bookings/${id}/cancel`, {})).booking.state, "cancelled");
		await alice.savedSignIn();
		assert.equal((await alice.booking(id)).state, "cancelled");
		assert.equal(await listed("D-212", day(20)), 0);
	});

	test("one that is under way is withdrawn before anything is sent, and the session is kept", { timeout: LONG_MS }, async () => {
		await control("/knobs", { slow_ms: 3000 });
		const { id } = await alice.book({ date: day(20), desk: "D-216" });

		await becomes(async () => (await alice.booking(id)).step, LONG_MS, "a step was to begin");
		const { booking: asked } = await alice.must("POST", `/bookings/${id}/cancel`, {});

		assert.deepEqual([asked.state, asked.reason], ["cancelling", "It is being withdrawn."]);
		assert.equal((await alice.must("POST", `/bookings/${id}/cancel`, {})).booking.id, id, "asked again, it is what was wanted");
		const over = await alice.bookingIs(id, ["cancelled", "done"], LONG_MS);

		assert.deepEqual([over.state, over.reason, over.outcome], ["cancelled", undefined, undefined]);
		assert.deepEqual((await log(id)).slice(-2).map(({ text }) => text), ["To be withdrawn.", "Withdrawn."]);
		assert.equal((await control("/state")).asked.filter(({ date, spaceId }) => date === day(20) && spaceId === 10_216).length, 0);
		await control("/knobs", { slow_ms: 0 });
		assert.equal((await ended((await alice.book({ date: day(20), desk: "D-216" }, "after all")).id)).outcome, "booked");
	});

	test("what its person withdraws while its worker is killed is not taken up again", { timeout: LONG_MS }, async () => {
		await control("/knobs", { slow_ms: 3000 });
		const { id } = await alice.book({ date: day(20), desk: "D-215" });

		await becomes(async () => (await alice.booking(id)).step, LONG_MS, "a step was to begin");
		await rig.daemon("botd").kill("SIGKILL");
		await rig.postgres.sql(`UPDATE jobs.jobs SET cancel = true WHERE id = ${id}`);
		await rig.daemon("botd").start();
		await control("/knobs", { slow_ms: 0 });
		assert.equal((await alice.bookingIs(id, ["cancelled", "done"], LONG_MS)).state, "cancelled");
		assert.equal((await control("/state")).asked.filter(({ date, spaceId }) => date === day(20) && spaceId === 10_215).length, 0);
	});

	test("nobody can make more wait than the setting allows", async () => {
		const bob = await rig.login("bob"); /* who has none at all */

		await rig.restart("botd", { most_waiting: 1 });
		const { id } = await bob.book({ date: day(21), desk: "D-212" }, "only");

		await bob.bookingIs(id, ["needs_sign_in"], LONG_MS);
		const { status } = await bob.call("POST", "/bookings", { key: "one-too-many", site: "desk", action: "book",
			inputs: { date: day(21), desk: "D-213" } });

		assert.equal(status, 503);
		assert.equal((await bob.book({ date: day(21), desk: "D-212" }, "only")).id, id);
		await bob.must("POST", `/bookings/${id}/cancel`, {});
		await rig.restart("botd", { most_waiting: undefined });
	});
});
