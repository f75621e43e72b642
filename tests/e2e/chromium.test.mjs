/*
 * A browser that is missing, killed, hung or crashed, and a launcher that is killed, while a person signs in and while
 * the sign-in is being proved: a reason and advice where the person and the operator look, and nothing left behind.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, LIMIT_MS, startRig } from "./rig.mjs";

/* Until a browser that hangs counts as hung, and what the machine adds. */
const HUNG_MS = 60_000;
/* Longer than one that has started may be silent. */
const STILL_MS = 20_000;
let rig, alice;

/* The newer of two browsers, once it is there. */
function provingBrowser()
{
	return becomes(() => rig.browsers()[1], LIMIT_MS, "no proving browser was started");
}

async function proving()
{
	const signIn = await alice.open();

	await signIn.atSite();
	await signIn.reaches("proving");
	return signIn;
}

/* It is over, and both the WebSocket and the API say why and what to do. */
async function failed(signIn, reason, ms)
{
	await signIn.until(() => signIn.step === "failed", "\"failed\"", ms);
	const shown = await signIn.show();

	assert.equal(shown.step, "failed");
	assert.match(shown.reason, reason);
	assert.equal(shown.reason, signIn.reason);
	assert.ok(shown.advice?.length > 10, "there must be advice");
	assert.equal(shown.advice, signIn.advice);
	assert.deepEqual(await alice.sessions(), [], "nothing may be stored");
	return shown;
}

async function overWithNothingLeft(signIn, reason, ms)
{
	const shown = await failed(signIn, reason, ms);

	assert.equal(shown.resumable, false);
	assert.match(shown.advice, /Start the sign-in again/);
	await rig.nothingLeft();
}

/* The proving browser is lost, the sign-in browser is not: the person can go on in it, without signing in again. */
async function goesOn(signIn, reason, ms)
{
	const shown = await failed(signIn, reason, ms);

	assert.equal(shown.resumable, true);
	assert.match(shown.advice, /press "Check now"/);
	await becomes(() => rig.browsers().length === 1, 10_000, "the proving browser is still there");
	signIn.again();
	signIn.say("sign_in_resume");
	await signIn.reaches("waiting");
	signIn.again();
	signIn.say("sign_in_done");
	await signIn.reaches("proving");
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
		await failed(signIn, /ended|could not be started|lost/);
		await rig.nothingLeft();
	});

	it("hangs while it is starting", { timeout: LIMIT_MS }, async () => {
		const signIn = await alice.open();

		await becomes(() => rig.browsers()[0], LIMIT_MS, "no browser was started");
		process.kill(rig.browsers()[0].pid, "SIGSTOP");
		await failed(signIn, /does not answer|stopped answering/, LIMIT_MS);
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
		const signIn = await proving();

		await provingBrowser();
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
		await failed(signIn, /launcher has ended|ended unexpectedly/);
		/* Its profile goes with the next launcher's sweep; no process waits for that. */
		await becomes(() => rig.browserProcesses().length === 0, 10_000, "processes are left");
		const next = await alice.openAtSso();
		await becomes(() => rig.profiles().length === 1, LIMIT_MS, "the profile of the killed launcher is still there");
		await next.close();
		await rig.nothingLeft();
	});
});

/* One after another in the same sign-in, for each leaves it to be proved again. */
describe("a proving browser that fails: the person goes on in their own", { concurrency: false }, () => {
	let signIn;

	before(async () => {
		signIn = await proving();
	});

	it("is killed", { timeout: LIMIT_MS }, async () => {
		process.kill((await provingBrowser()).pid, "SIGKILL");
		await goesOn(signIn, /proving browser|(ended|started) on the server/i);
	});

	it("hangs", { timeout: LIMIT_MS }, async () => {
		process.kill((await provingBrowser()).pid, "SIGSTOP");
		await goesOn(signIn, /browser/, HUNG_MS);
	});

	it("has its page's process killed", { timeout: LIMIT_MS }, async () => {
		const browser = await provingBrowser();

		/* Every one, for a page that is still blank can lose its own and get another. */
		await becomes(() => {
			for (const { pid } of rig.renderers(browser))
				process.kill(pid, "SIGKILL");
			return signIn.step === "failed";
		}, HUNG_MS, "the proof did not fail");
		await goesOn(signIn, /browser/, HUNG_MS);
	});

	it("loses its launcher", { timeout: LIMIT_MS }, async () => {
		const [, newer] = await becomes(() => {
			const both = rig.launchers();

			return both.length === 2 && rig.browsers().length === 2 ? both : null;
		}, LIMIT_MS, "no second launcher was started");

		process.kill(newer.pid, "SIGKILL");
		await goesOn(signIn, /proving browser|launcher|browser was started/i);
	});

	it("and in the end it is saved", { timeout: LIMIT_MS }, async () => {
		await signIn.reaches("saved");
		await rig.nothingLeft(); /* the killed launcher's profile went with the next one's sweep */
		const [session] = await alice.sessions();
		await alice.must("DELETE", `/sessions/${session.id}`, { confirm_protected: true });
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
		const shown = await failed(signIn, /^The browser could not be started on the server; its administrator finds out why\.$/);

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
