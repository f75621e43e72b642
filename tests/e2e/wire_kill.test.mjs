/*
 * An act is never repeated, whoever is killed as it comes to the site: somebody of Stead is killed once it is there; in
 * `make soak`, once the first of several is there that are sent at once, each in its own way.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ANSWERS, HTTP2, KINDS } from "../sites/wire.mjs";
import { becomes } from "./rig.mjs";
import { ROW_MS, startWireRig, WHOLE } from "./wire_rig.mjs";

let wire, rig;

before(async () => {
	const side = WHOLE ? KINDS.length : 1; /* so many go side by side */

	wire = await startWireRig(({ lanes, http2 }) => [...lanes.slice(0, side), ...http2.slice(0, side)]);
	({ rig } = wire);
}, { timeout: ROW_MS });

after(() => wire?.stop());

async function again(name)
{
	await rig.daemon(name).kill("SIGKILL");
	await rig.daemon(name).start();
}

function killAll(processes, signal = "SIGKILL")
{
	for (const { pid } of processes)
		process.kill(pid, signal);
}

/* The processes of browsers; a launcher stays until streamd lets it go. */
function chromiums()
{
	return rig.browserProcesses().filter(({ name }) => !name.startsWith("stead-launcher")).map(({ pid }) => pid);
}

/* Who is killed, and how they come back. */
const KILLS = {
	botd: () => again("botd"),
	streamd: () => again("streamd"),
	launcher: () => killAll(rig.launchers()),
	chromium: () => killAll(rig.browsers()),
	async postgres()
	{
		await rig.postgres.kill();
		await rig.postgres.start();
	},
};

/* Each in its turn; or all at once. */
function kinds(n)
{
	return WHOLE ? KINDS : [KINDS[n % KINDS.length]];
}

/* How long the intent takes to be written from now on. */
async function intentTakes(seconds)
{
	await rig.postgres.sql(`CREATE OR REPLACE FUNCTION public.intend_slowly() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_sleep(${seconds}); RETURN NEW; END $$`);
}

/* A booking whose intent is about to be written: what acts is held back meanwhile. */
async function held(kind, action, more = {})
{
	await intentTakes(300);
	const asked = await wire.book(wire.lanes[0], { kind, answer: "after 1", ...(action && { action }), ...more });

	await becomes(async () => (await rig.postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")) === "1",
		ROW_MS, "The intent was not about to be written.");
	return asked;
}

/* The statement that waits is broken off; botd writes it again. */
async function quickIntent()
{
	await intentTakes(0);
	await rig.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
}

/* A browser whose debugger has gone lets go of what is held back: it must be dead by then. */
describe("killed while it is held back", () => {
	before(async () => {
		await intentTakes(0);
		await rig.postgres.sql(`CREATE TRIGGER intend_slowly BEFORE UPDATE ON jobs.bookings FOR EACH ROW
			WHEN (NEW.intent_at IS DISTINCT FROM OLD.intent_at) EXECUTE FUNCTION public.intend_slowly()`);
	});

	for (const [name, kind, action] of [["streamd", "beacon"], ["launcher", "keepalive"], ["chromium", "beacon"], ["botd", "beacon"],
		["streamd", "fetch", "fill"], ["launcher", "form", "choose"], ["chromium", "picture"], ["botd", "framed"]])
		test(`${name}: nothing has left (${kind}${action ? `, ${action}` : ""}), and it is sent once afterwards`, { timeout: 4 * ROW_MS }, async () => {
			const asked = await held(kind, action);
			const there = new Set(chromiums());

			try {
				assert.equal(wire.wire.count(asked.row), 0, "it left before its intent was written");
				await KILLS[name]();
				if (name !== "botd") /* whose browser is still there, and holds it back */
					await becomes(() => !chromiums().some((pid) => there.has(pid)), ROW_MS, "The browser is left.");
				assert.equal(wire.wire.count(asked.row), 0, "it left although its intent was never written");
			} finally {
				await quickIntent();
			}
			assert.equal((await wire.isTold(asked)).outcome, "booked");
		});
});

/* 421 makes a browser send again over another connection, and this one finds out late. */
describe("starved at the act", () => {
	const STOPPED_MS = 4000;

	test("a browser that stands still as its connection ends sends nothing twice", { timeout: 4 * ROW_MS }, async () => {
		await intentTakes(0);
		const starved = [];

		wire.wire.beforeEnd = (row) => {
			const pids = chromiums();

			starved.push(row);
			killAll(pids.map((pid) => ({ pid })), "SIGSTOP");
			setTimeout(() => killAll(pids.map((pid) => ({ pid })), "SIGCONT"), STOPPED_MS);
		};

		const asked = await wire.book(wire.lanes[0], { kind: "fetch", answer: "421 end" });

		try {
			await wire.isTold(asked);
			assert.deepEqual(starved, [asked.row]);
		} finally {
			wire.wire.beforeEnd = null;
		}
	});
});

/* Of two that tell it of an end, it may read first what the other one said last. */
describe("late at the act", () => {
	const POLLS_MS = 300, STOPPED_MS = 2500;

	test("a streamd that stands still meanwhile tells nothing that was heard of as unsent", { timeout: 4 * ROW_MS }, async () => {
		const asked = await held("keepalive", undefined, { answer: "421 end", poll: "poll" });
		let stopped = false;

		/* The browser has said something of its polls by then, and so is read first. */
		wire.wire.slowHandshake(POLLS_MS, () => {
			const one = [{ pid: rig.daemon("streamd").pid }];

			stopped = true;
			killAll(one, "SIGSTOP");
			setTimeout(() => killAll(one, "SIGCONT"), STOPPED_MS);
		});
		await quickIntent();
		await wire.isTold(asked);
		assert.ok(stopped, "its connection was there before");
	});
});

/* What is to be kept alive goes on by itself when its document ends, over a connection that is still being made. */
describe("its document ends while its connection is being made", () => {
	before(() => intentTakes(0));

	test("what is kept alive is waited for", { timeout: ROW_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[0], { kind: "removed", answer: "late" }));

		assert.equal(outcome, "booked", said);
		assert.match(said, /answered with status 200/);
	});

	test("a connection that is never made is closed, and it is sent once afterwards", { timeout: ROW_MS }, async () => {
		const { outcome, said } = await wire.isTold(await wire.book(wire.lanes[0], { kind: "removed", answer: "mute" }));

		assert.equal(outcome, "booked", said);
		assert.match(said, /Nothing was sent\. .* was not answered, so it was closed/);
		assert.match(said, /answered with status 200/);
	});
});

describe("killed at the act", () => {
	const names = Object.keys(KILLS);
	const whole = names.flatMap((name) => ANSWERS.map((answer) => [name, answer]));
	/* Each value once: whoever is killed, and, one after another with them, what only HTTP/2 has. */
	const short = [...names.map((name) => [name, "after 1"]), ...HTTP2.map((answer, i) => [names[i], answer])];

	(WHOLE ? whole : short).forEach(([name, answer], n) => test(`${name}, answered with ${answer}`, { timeout: 4 * ROW_MS }, async () => {
		const sites = HTTP2.includes(answer) ? wire.http2 : wire.lanes;
		const asked = await Promise.all(kinds(n).map((kind, i) => wire.book(sites[i], { kind, answer })));

		await Promise.race(asked.map(({ row }) => wire.wire.sent(row)));
		await KILLS[name]();
		await Promise.all(asked.map((one) => wire.isTold(one, { sent: false })));
	}));
});
