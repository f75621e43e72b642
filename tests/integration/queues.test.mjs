/* Queues and workers as an administrator sees them and pauses them, and as the people see it whose work waits. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, describe, test } from "node:test";

import { becomes, day, startRig } from "../e2e/rig.mjs";

const LONG_MS = 300_000;
const PAUSED = "An administrator has paused the work at this site; it goes on by itself after that.";

let rig, alice, admin;

const control = (path, body) => rig.sites.control(path, body);
const ended = (id) => alice.bookingIs(id, ["done"], LONG_MS);
const queueOf = async (name) => (await rig.steadctl("queue", "list")).queues.find((queue) => queue.name === name);
const workers = async () => (await rig.steadctl("worker", "list")).workers;

before(async () => {
	rig = await startRig({ widget: false, recipe: (desk) => {
		desk.settle.quiet_ms = 500;
	} });
	admin = await rig.visitor(rig.stack.admin.name).login(rig.stack.admin.password);
	alice = await rig.login("alice");
	await alice.savedSignIn();
});
after(() => rig?.stop());

describe("a queue", { concurrency: false }, () => {
	test("that is paused begins nothing, says why, and goes on", { timeout: LONG_MS }, async () => {
		assert.equal((await rig.steadctl("queue", "pause", "desk")).queue.paused, true);
		const { id } = await alice.book({ date: day(3), desk: "D-201" });

		await becomes(async () => (await queueOf("desk"))?.queued === 1, LONG_MS, "it was to wait there");
		const { state, reason } = await alice.booking(id);

		assert.deepEqual([state, reason], ["queued", PAUSED]);
		assert.equal((await rig.steadctl("queue", "resume", "desk")).queue.paused, undefined);
		assert.equal((await ended(id)).outcome, "booked");
	});

	test("that is paused lets what is under way end", { timeout: LONG_MS }, async () => {
		await control("/knobs", { slow_ms: 1000 });
		const { id } = await alice.book({ date: day(4), desk: "D-201" });

		await becomes(async () => (await alice.booking(id)).step, LONG_MS, "a step was to begin");
		await admin.must("POST", "/queues/desk/pause", {});
		await control("/knobs", { slow_ms: 0 });
		assert.equal((await ended(id)).outcome, "booked");
		await admin.must("POST", "/queues/desk/resume", {});
	});

	test("has a limit, or none", async () => {
		assert.equal((await rig.steadctl("queue", "limit", "desk", "1")).queue.most, 1);
		assert.equal((await admin.must("GET", "/queues")).queues.find(({ name }) => name === "desk").most, 1);
		assert.equal((await rig.steadctl("queue", "limit", "desk", "0")).queue.most, undefined);
	});

	test("that nobody has is a slip, and only administrators have a say", async () => {
		await assert.rejects(rig.steadctl("queue", "pause", "dsek"), /There is no queue "dsek"/);
		assert.equal((await alice.call("POST", "/queues/desk/pause", {})).status, 403);
		assert.equal((await alice.call("GET", "/queues")).status, 403);
		assert.equal((await alice.call("GET", "/workers")).status, 403);
	});

	test("is not paused by anybody whom the audit does not name", async () => {
		const said = (await rig.steadctl("booking", "audit")).entries.map(({ event, detail }) => `${event} ${detail}`);

		assert.ok(said.includes("steadctl queue_pause name=desk"), said.join("\n"));
		assert.ok(said.includes(`administrator ${rig.stack.admin.name}: queue_pause name=desk`), said.join("\n"));
	});
});

describe("the workers", { concurrency: false }, () => {
	test("say where they are and what they do", { timeout: LONG_MS }, async () => {
		await control("/knobs", { slow_ms: 2000 });
		const { id } = await alice.book({ date: day(5), desk: "D-201" });

		const [one] = await becomes(async () => {
			const all = await workers();

			return all[0]?.jobs.length && all;
		}, LONG_MS, "the job was to be listed");

		assert.equal(one.host, hostname());
		assert.equal(one.pid, rig.daemon("botd").pid);
		assert.equal(one.leads, true);
		assert.equal(one.does, `booking ${id} (desk)`);
		assert.deepEqual(one.jobs.map((job) => [job.id, job.kind, job.queue, job.attempt]), [[id, "booking", "desk", 1]]);
		await control("/knobs", { slow_ms: 0 });
		await ended(id);
		await becomes(async () => (await workers())[0].jobs.length === 0, LONG_MS, "it was to be done");
	});

	test("are gone once they have stopped, and silent once they were killed", { timeout: LONG_MS }, async () => {
		const [before] = await workers();

		await rig.restart("botd", { lease_ms: 1000 });
		const [after] = await becomes(async () => {
			const all = await workers();

			return all.length && all;
		}, LONG_MS, "it was to be there");

		assert.notEqual(after.id, before.id);
		await rig.daemon("botd").kill("SIGKILL");
		await rig.daemon("botd").start();
		await becomes(async () => (await workers()).some(({ id, silent }) => id === after.id && silent), LONG_MS, "it was to be silent");
		await becomes(async () => (await workers()).some(({ id, leads }) => id !== after.id && leads), LONG_MS, "the other was to lead");
		await becomes(async () => !(await workers()).some(({ id }) => id === after.id), LONG_MS, "it was to go");
	});
});
