/*
 * The browser that proves a sign-in is killed, hung or crashed, or its launcher is killed: the person goes on in their own,
 * without signing in again.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { failed, proving, provingBrowser } from "./failing.mjs";
import { becomes, LIMIT_MS, startRig } from "./rig.mjs";

/* Until a browser that hangs counts as hung, and what the machine adds. */
const HUNG_MS = 60_000;
let rig, alice;

/* The proving browser is lost, the sign-in browser is not: the person can go on in it, without signing in again. */
async function goesOn(signIn, reason, ms)
{
	const shown = await failed(alice, signIn, reason, ms);

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

/* One after another in the same sign-in, for each leaves it to be proved again. */
describe("a proving browser that fails: the person goes on in their own", { concurrency: false }, () => {
	let signIn;

	before(async () => {
		signIn = await proving(alice);
	});

	it("is killed", { timeout: LIMIT_MS }, async () => {
		process.kill((await provingBrowser(rig)).pid, "SIGKILL");
		await goesOn(signIn, /proving browser|(ended|started) on the server/i);
	});

	it("hangs", { timeout: LIMIT_MS }, async () => {
		process.kill((await provingBrowser(rig)).pid, "SIGSTOP");
		await goesOn(signIn, /browser/, HUNG_MS);
	});

	it("has its page's process killed", { timeout: LIMIT_MS }, async () => {
		const browser = await provingBrowser(rig);

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
