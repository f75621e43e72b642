/*
 * A browser that is missing, killed, hung or crashed, and a launcher that is killed, while a person signs in: a reason and advice
 * where the person and the operator look, and nothing left behind. proving.test.mjs has those that prove it.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { failed, proving, provingBrowser } from "./failing.mjs";
import { becomes, LIMIT_MS, startRig } from "./rig.mjs";

/* Until a browser that hangs counts as hung, and what the machine adds. */
const HUNG_MS = 60_000;
/* Longer than one that has started may be silent. */
const STILL_MS = 20_000;
let rig, alice;

async function overWithNothingLeft(signIn, reason, ms)
{
	const shown = await failed(alice, signIn, reason, ms);

	assert.equal(shown.resumable, false);
	assert.match(shown.advice, /Start the sign-in again/);
	await rig.nothingLeft();
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
});
after(() => rig?.stop());

describe("a browser that fails", { concurrency: false }, () => {
	afterEach(() => alice.closeAll());

	it("is killed while the person is awaited", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		process.kill(rig.browsers()[0].pid, "SIGKILL");
		await overWithNothingLeft(signIn, /was ended on the server/);
	});

	it("is killed while it is starting", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open();

		await becomes(() => rig.browsers()[0], LIMIT_MS, "no browser was started");
		process.kill(rig.browsers()[0].pid, "SIGKILL");
		await failed(alice, signIn, /ended|could not be started|lost/);
		await rig.nothingLeft();
	});

	it("hangs while it is starting", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open();

		await becomes(() => rig.browsers()[0], LIMIT_MS, "no browser was started");
		process.kill(rig.browsers()[0].pid, "SIGSTOP");
		await failed(alice, signIn, /does not answer|stopped answering/, LIMIT_MS);
		await rig.nothingLeft();
	});

	it("stands still as it starts, as it would on a busy machine: it is waited for", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open();
		const { pid } = await becomes(() => rig.browsers()[0], LIMIT_MS, "no browser was started");

		process.kill(pid, "SIGSTOP");
		await sleep(STILL_MS);
		process.kill(pid, "SIGCONT");
		await signIn.reaches("waiting");
	});

	it("is killed, the person's own, while the sign-in is proved", { timeout: LIMIT_MS }, async () => {
		const signIn = await proving(alice);

		await provingBrowser(rig);
		process.kill(rig.browsers()[0].pid, "SIGKILL");
		await overWithNothingLeft(signIn, /was ended on the server/);
	});

	it("hangs while the person is awaited", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		process.kill(rig.browsers()[0].pid, "SIGSTOP");
		await overWithNothingLeft(signIn, /stopped answering/, HUNG_MS);
	});

	it("has its page's process killed while the person is awaited", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		for (const { pid } of rig.renderers(rig.browsers()[0]))
			process.kill(pid, "SIGKILL");
		await overWithNothingLeft(signIn, /page crashed/);
	});

	it("loses its launcher while the person is awaited", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.openAtSso();

		process.kill(rig.launchers()[0].pid, "SIGKILL");
		await failed(alice, signIn, /launcher has ended|ended unexpectedly/);
		/* Its profile goes with the next launcher's sweep; no process waits for that. */
		await becomes(() => rig.browserProcesses().length === 0, 10_000, "processes are left");
		const next = await alice.openAtSso();
		await becomes(() => rig.profiles().length === 1, LIMIT_MS, "the profile of the killed launcher is still there");
		await next.close();
		await rig.nothingLeft();
	});
});

describe("a browser that is missing", { concurrency: false }, () => {
	const WHERE = "/nonexistent/chromium";
	let browser;

	before(async () => {
		await rig.restart("streamd", { chromium: WHERE });
		browser = await openViewer();
	});
	after(() => browser?.close());

	it("is told to the person, with what to do", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open();
		const shown = await failed(alice, signIn, /^The browser could not be started on the server; its administrator finds out why\.$/);

		assert.match(shown.advice, /tell the administrator/);
		await rig.nothingLeft();
	});

	it("is named in steadctl status and the log", async () => {
		const { streamd } = await rig.status();

		assert.match(streamd.chromium_trouble, /\/nonexistent\/chromium.*apt-get install chromium/);
		assert.match(await rig.stack.logText("streamd"), /\/nonexistent\/chromium.*apt-get install chromium/);
	});

	it("is read on the page", { timeout: LIMIT_MS }, async () => {
		const person = new Person(await openWindow(browser), rig.url);

		await person.signInToStead(rig.stack.admin);
		await person.card("Deskwise").getByRole("link", { name: /^Sign in/ }).click();
		assert.match(await person.notSaved(), /could not be started on the server/);
	});

	it("is found again once the setting is right, and trouble is forgotten", { timeout: LIMIT_MS }, async () => {
		await rig.restart("streamd", { chromium: undefined });
		await alice.savedSignIn();
		assert.equal((await rig.status()).streamd.chromium_trouble, undefined);
		await rig.nothingLeft();
	});
});
