/*
 * An act is never repeated, however badly the site answers: it counts what reaches it, and Stead tells what is true. Here
 * nobody is killed; wire_kill.test.mjs is the table's other half.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ANSWERS, HTTP2, KINDS } from "../sites/wire.mjs";
import { ROW_MS, startWireRig, WHOLE } from "./wire_rig.mjs";

const LONG_MS = 20 * ROW_MS; /* for those that wait for a lane */

let wire;

before(async () => {
	wire = await startWireRig(({ lanes, slow, http2 }) => [...lanes, slow, http2[0]]);
}, { timeout: ROW_MS });

after(() => wire?.stop());

/* The slow ones begin first. */
function rows()
{
	const all = ANSWERS.flatMap((answer, i) => KINDS.map((kind, j) => ({ answer, kind, short: i % KINDS.length === j })));
	const seconds = ({ answer }) => Number(/^after (\d+)$/.exec(answer)?.[1] ?? 3);

	return all.filter(({ short }) => WHOLE || short).sort((a, b) => seconds(b) - seconds(a));
}

/* One after another, as bookings at one site go. */
function siteOf({ answer }, i)
{
	if (HTTP2.includes(answer))
		return wire.http2[0];
	return answer === "after 60" ? wire.slow : wire.lanes[i % wire.lanes.length];
}

describe("an act is never repeated", { concurrency: true }, () => {
	rows().forEach((row, i) => test(`a ${row.kind}, answered with ${row.answer}`, { timeout: LONG_MS }, async () => {
		const asked = await wire.book(siteOf(row, i), row), { said } = await wire.isTold(asked);

		assert.equal(wire.wire.cutShort(asked.row), 0, "its connection was closed for the list");
		if (["after 25", "after 60"].includes(row.answer))
			assert.match(said, /Still waiting \(\d+ s\): \w+\.test has not answered\./);
	}));

	/* Whatever sends it, and whatever the page does beside. */
	const shapes = [["worker", "reused"], ["service", "reused"], ["frame", "reused"], ["link", "reused"], ["get", "reused"], ["twice", "reused"], ["slowly", "done"],
		["form", "reused", "poll"], ["fetch", "408", "poll"], ["beacon", "reset before", "poll"], ["keepalive", "421", "poll"], ["get", "reset before", "poll"],
		["fetch", "307 loop"], ["form", "307 loop"], ["form", "303 loop"]];

	shapes.forEach(([kind, answer, poll], i) => test(`${kind}, answered with ${answer}${poll ? ", in a page that polls" : ""}`,
		{ timeout: LONG_MS }, async () => {
			await wire.isTold(await wire.book(siteOf({ answer }, i), { kind, answer, poll }));
		}));

	/* Whatever is done to the page, what it sends for that is held back until the intent is written, and is sent once. */
	const done = [["ticks", "fetch"], ["drags", "fetch"], ["gives", "fetch"], ["keys", "fetch"], ["doubles", "fetch"], ["ticks", "form"], ["drags", "debounced"], ["gives", "form"]];

	done.forEach(([action, kind], i) => test(`an act by another step than a click is sent once (${action}, ${kind})`, { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[i % 4], { kind, answer: "done", action }));

		assert.equal(outcome, "booked", said);
		assert.equal(/It was so already, and was not pressed\./.test(said), action === "ticks", said);
	}));

	test("a heartbeat leaves no drag half done", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[1], { kind: "fetch", answer: "done", action: "drags", poll: "beat" });

		assert.equal((await wire.isTold(asked)).outcome, "booked");
	});

	/* What is pressed is a menu or a field, which takes what it is told and is as it was then. */
	const told = [["choose", "fetch"], ["fill", "fetch"], ["choose", "form"], ["fill", "debounced"], ["choose", "debounced"], ["adds", "second"], ["adds", "checkedFirst"], ["adds", "checkedLate"], ["twice", "checkedLate"]];

	told.forEach(([action, kind], i) => test(`what is told to a menu or a field is sent once (${action}, ${kind})`, { timeout: LONG_MS }, async () => {
		assert.equal((await wire.isTold(await wire.book(wire.lanes[i % 4], { kind, answer: "done", action }))).outcome, "booked");
	}));

	test("a heartbeat leaves no field half written", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[1], { kind: "fetch", answer: "done", action: "fill", poll: "beat" });

		assert.equal((await wire.isTold(asked)).outcome, "booked");
	});

	test("a field that stands still before it is written to is written to then", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[2], { kind: "stillPressed", answer: "done", action: "fill" });

		assert.equal((await wire.isTold(asked)).outcome, "booked");
	});

	test("a field that takes a part of what is written to it is not told as filled in, nor written to again", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[3], { kind: "stillWritten", answer: "500", action: "fill" });
		const { said } = await wire.isTold(asked, { sent: false });

		assert.match(said, /It did not work: .* had taken only a part of what was written to #quick/);
	});

	/* Chromium asks nobody. */
	const again = [["form", "reloads"], ["form", "goes"], ["form", "navigates"], ["form", "resubmits"], ["form", "returns"], ["form", "pressed"], ["framedForm", "reloads"]];

	again.forEach(([kind, answer], i) => test(`a page that came of the act (${kind}) and ${answer} sends it no second time`, { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[i % 4], { kind, answer, action: answer === "pressed" ? "again" : "waits" }), { row } = asked;
		const { outcome, said } = await wire.isTold(asked);

		assert.equal(outcome, "booked", said);
		if (answer === "navigates") /* by GET: the site is asked for what has come of it */
			assert.equal(wire.wire.count(`${row}, read`), 1, said);
		else
			assert.match(said, /wanted to send POST \S+ again by itself, and was not let/, said);
	}));

	test("a list that goes back to what came of the act is read", { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[2], { kind: "goesBack", answer: "done" }));

		assert.equal(outcome, "booked", said);
		assert.doesNotMatch(said, /could not be read/);
	});

	/* Whatever asks for it, a GET may act. */
	const gets = [["picture", "reused"], ["picture", "reset before"], ["jsonp", "reused"], ["framed", "reused"], ["targeted", "reused"], ["getTwice", "reused"],
		["jsonp", "done"], ["lazily", "reused"], ["stuck", "reused"]];

	gets.forEach(([kind, answer], i) => test(`what acts with GET (${kind}), answered with ${answer}, is not told as unsent`, { timeout: LONG_MS }, async () => {
		const { said } = await wire.isTold(await wire.book(wire.lanes[i % 4], { kind, answer }));

		assert.match(said, /Sending it: /, said);
		assert.doesNotMatch(said, /Nothing was sent/);
	}));

	/* What a connection carries as the act is let go is carried to its end. */
	for (const [action, words] of [["cart", "a page"], ["workers", "a worker of it"]])
		test(`what ${words} still has no answer to is not sent again at the act`, { timeout: LONG_MS }, async () => {
			const asked = await wire.book(wire.lanes[0], { kind: "fetch", answer: "done", action });

			assert.equal((await wire.isTold(asked)).outcome, "booked");
			assert.equal(wire.wire.count(`${asked.row}, cart`), 1);
		});

	test("a press whose first request finds nobody may still act", { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[3], { kind: "later", answer: "done" }));

		assert.equal(outcome, "booked", said);
	});

	for (const [kind, words] of [["beside", "what is sent next"], ["persists", "leaving the page"]])
		test(`an answer that is still coming is not cut short by ${words}`, { timeout: LONG_MS }, async () => {
			const asked = await wire.book(wire.lanes[1], { kind, answer: "slow body" });

			assert.equal((await wire.isTold(asked)).outcome, "booked");
			assert.equal(wire.wire.cutShort(asked.row), 0);
		});

	test("an answer that never ends holds nobody up for long", { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[2], { kind: "fetch", answer: "endless" }));

		assert.equal(outcome, "booked", said);
		assert.match(said, /answered with status 200/);
	});

	test("what a page sends to a host that the recipe does not name is no act", { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[2], { kind: "counted", answer: "done" }));

		assert.equal(outcome, "booked", said);
		assert.match(said, /^Sending it: POST https:\/\/wire2\.test\/book\b/m);
		assert.doesNotMatch(said, /analytics/);
	});

	test("what waits for leave to be asked of another host is waited for", { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[3], { kind: "preflight", answer: "done" }));

		assert.equal(outcome, "booked", said);
	});

	test("a plain answer of the launcher's own is not the site's", { timeout: LONG_MS }, async () => {
		const said = await wire.isTriedAgain(await wire.book(wire.lanes[2], { kind: "closed", answer: "done" }));

		assert.match(said, /Nothing was sent: No connection to closedwire2\.test could be made\./);
	});

	test("a plain answer of the site's is", { timeout: LONG_MS }, async () => {
		const { reason, said } = await wire.isTold(await wire.book(wire.lanes[3], { kind: "plain", answer: "502" }));

		assert.match(reason, /answered with status 502/, said);
	});

	test("a 307 to another address is followed once", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[0], { kind: "fetch", answer: "307" });

		await wire.isTold(asked);
		assert.equal(wire.wire.count(`${asked.row} moved`), 1);
	});

	/* What was held first was only a check, and answered; what books comes later, and its answer is late. */
	test("what the page sends after what it was held with is waited for, too", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[1], { kind: "checked", answer: "books 9", action: "seen" });
		const { outcome, said } = await wire.isTold(asked);

		assert.equal(outcome, "booked", said);
		assert.match(said, /answered with status 200/, said);
	});

	/* What it sends before is not the act: it goes on while the button is waited for. */
	for (const poll of ["beat", "ping"]) {
		test(`a press in a page that sends all the time (${poll}) is sent once`, { timeout: LONG_MS }, async () => {
			assert.equal((await wire.isTold(await wire.book(wire.lanes[2], { kind: "fetch", answer: "done", poll }))).outcome, "booked");
		});

		test(`a press that sends nothing in such a page (${poll}) is never told as booked`, { timeout: LONG_MS }, async () => {
			const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[3], { kind: "nothing", answer: "500", poll }), { sent: false });

			assert.notEqual(outcome, "booked", said);
		});
	}

	for (const poll of ["", "poll"])
		test(`a press that sends nothing is told as that${poll && ", in a page that polls"}`, { timeout: LONG_MS }, async () => {
			const asked = await wire.book(wire.lanes[1], { kind: "nothing", answer: "500", poll });
			const { outcome, reason, said } = await wire.isTold(asked, { sent: false });

			assert.equal(outcome, "failed", said);
			assert.match(reason, /^Nothing was sent: the page of wire1\.test took the press/);
		});

	/* Whoever goes on behind the page that is looked at would do so when nothing is held back any more. */
	for (const [what, kind, action] of [["a page whose act is answered while the list is read beside it", "afterwards", "patient"],
		["an opener behind its popup", "opener", "act"], ["a page whose list is another place of it", "place", "place"]])
		test(`${what} sends no more once it has been left`, { timeout: LONG_MS }, async () => {
			const asked = await wire.book(action === "patient" ? wire.slow : wire.lanes[0], { kind, answer: "done", action });
			const { outcome, said } = await wire.isTold(asked, { sent: kind !== "afterwards" });

			assert.equal(outcome, "booked", said);
			assert.equal(wire.wire.count(`${asked.row} later`), 0, said);
		});

	test("a button that was never pressed is not told as pressed", { timeout: LONG_MS }, async () => {
		await wire.isTold(await wire.book(wire.lanes[1], { kind: "late", answer: "done", action: "two" }));
	});

	test("a list that is read beside an act without an answer says no goodbye", { timeout: LONG_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.slow, { kind: "goodbye", answer: "listed 3", action: "patient" }));

		assert.equal(outcome, "booked", said);
		assert.equal(wire.wire.byes, 0, said);
	});

	test("what is kept is what the tab in front had last", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.slow, { kind: "fetch", answer: "listed 2 down", action: "patient" });
		const { said } = await wire.isTold(asked);
		const had = wire.wire.tabs(asked.host);

		assert.deepEqual(had, [...new Set(had)].sort((a, b) => a - b), `a token was used twice: ${had}\n${said}`);
	});

	test("a press that sends nothing is told as that, and what an earlier try may have sent", { timeout: LONG_MS }, async () => {
		const asked = await wire.book(wire.lanes[2], { kind: "nothing", answer: "500" });

		await wire.isTold(asked, { sent: false });
		await wire.rig.postgres.sql(`UPDATE jobs.bookings SET intent_at = now() WHERE id = ${asked.id};
			UPDATE jobs.jobs SET outcome = 'unconfirmed' WHERE id = ${asked.id}`);
		await wire.alice.must("POST", `/bookings/${asked.id}/retry`, { twice: true });
		const { outcome, reason, said } = await wire.isTold(asked, { sent: false });

		assert.equal(outcome, "unconfirmed", said);
		assert.match(reason, /^Nothing was sent: .* This try has sent nothing; an earlier one may have sent it\.$/);
	});
});

/* botd takes its time to write that nothing was sent, and the page sends it meanwhile. */
test("what a page sends once it has been told that nothing was sent never leaves", { timeout: LONG_MS }, async () => {
	await wire.rig.postgres.sql(`CREATE FUNCTION public.unintend_slowly() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_sleep(2.2); RETURN NEW; END $$;
		CREATE TRIGGER unintend_slowly BEFORE UPDATE ON jobs.bookings FOR EACH ROW
		WHEN (OLD.intent_at IS NOT NULL AND NEW.intent_at IS NULL) EXECUTE FUNCTION public.unintend_slowly()`);
	await wire.isTriedAgain(await wire.book(wire.lanes[0], { kind: "tooLate", answer: "done" }));
});
