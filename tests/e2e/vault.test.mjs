/*
 * A vault that was started with a wrong master key, and one whose row was tampered with: said where the person and the
 * operator look, nothing overwritten, and all goes on once it is put right.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, day, LIMIT_MS, startRig } from "./rig.mjs";

let rig, alice;

async function vaultTrouble()
{
	return (await rig.status()).sessiond.vault_trouble;
}

/* What is stored, without showing it. */
function stored()
{
	return rig.postgres.sql("SELECT string_agg(id || ' ' || version || ' ' || health || ' ' || md5(envelope), ', ') FROM vault.sessions");
}

before(async () => {
	rig = await startRig({ settings: { botd: { retry_ms: 200, tries: 60 } } });
	alice = await rig.login("alice");
	await alice.savedSignIn();
});
after(() => rig?.stop());

describe("a wrong master key", { concurrency: false }, () => {
	let path, right, before_, signIn, booking;

	before(async () => {
		path = join(rig.stack.dir, "etc/master-key");
		right = await readFile(path, "utf8");
		before_ = await stored();
		await rig.daemon("sessiond").stop();
		await writeFile(path, `1:${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
		await rig.daemon("sessiond").start();
	});

	it("is named in steadctl status and in the log", async () => {
		const trouble = await becomes(vaultTrouble, LIMIT_MS, "steadctl status does not tell of it");

		assert.match(trouble, /key/);
		assert.match(await rig.stack.logText("sessiond"), /the vault refuses to work: /);
	});

	it("is said on the dashboard, where nothing is said to work", { timeout: LIMIT_MS }, async () => {
		const browser = await openViewer();

		try {
			const person = new Person(await openWindow(browser), rig.url);

			await person.signInToStead({ name: "alice", password: rig.password });
			await person.card("Deskwise").locator(".badge").filter({ hasText: "Cannot be used just now" }).waitFor();
			await person.card("Deskwise").getByText(/a master key that is not its own.*What it keeps is safe/).waitFor();
		} finally {
			await browser.close();
		}
	});

	it("a booking waits, and says why", { timeout: LIMIT_MS }, async () => {
		booking = await alice.book({ date: day(1), desk: "D-203" });
		const shown = await becomes(async () => {
			const one = await alice.booking(booking.id);

			return one.reason ? one : null;
		}, LIMIT_MS, "the booking does not say why it waits");

		assert.ok(["queued", "running"].includes(shown.state), shown.state);
		assert.match(shown.reason, /master key that is not its own/);
	});

	it("a sign-in is not saved, and says why", { timeout: LIMIT_MS }, async () => {
		signIn = await alice.open();
		await signIn.atSite();
		await signIn.reaches("failed");
		const shown = await signIn.show();

		assert.match(shown.reason, /master key that is not its own/);
		assert.match(shown.advice, /could not be saved/);
		assert.equal(shown.resumable, true);
	});

	it("nothing is overwritten, and what was saved is still listed", async () => {
		assert.equal(await stored(), before_);
		assert.equal((await alice.sessions())[0].version, 1);
		assert.equal((await alice.booking(booking.id)).state === "done", false);
		assert.deepEqual(await rig.booked(), []);
	});

	it("with the right key back all goes on", { timeout: LIMIT_MS }, async () => {
		await rig.daemon("sessiond").stop();
		await writeFile(path, right, { mode: 0o600 });
		await rig.daemon("sessiond").start();
		const { outcome } = await alice.bookingIs(booking.id, ["done"]);

		assert.equal(outcome, "booked");
		assert.equal(await vaultTrouble(), undefined);
		const { version } = (await alice.sessions())[0];

		signIn.again();
		signIn.say("sign_in_resume");
		await signIn.reaches("waiting");
		signIn.say("sign_in_done");
		await signIn.reaches("saved");
		assert.ok((await alice.sessions())[0].version > version);
		await rig.nothingLeft();
	});
});

describe("a flipped bit in what is stored", { concurrency: false }, () => {
	let booking, browser;

	before(async () => {
		await rig.postgres.sql(`UPDATE vault.sessions
			SET envelope = set_byte(envelope, length(envelope) / 2, get_byte(envelope, length(envelope) / 2) # 1)`);
		browser = await openViewer();
	});
	after(() => browser?.close());

	it("a booking waits for the person, and says why", { timeout: LIMIT_MS }, async () => {
		booking = await alice.book({ date: day(2), desk: "D-204" });
		const shown = await alice.bookingIs(booking.id, ["done", "needs_sign_in"]);

		assert.equal(shown.state, "needs_sign_in");
		assert.match(shown.reason, /damaged.*Sign in to the site again/);
		assert.equal((await rig.booked()).filter(({ desk }) => desk === "D-204").length, 0);
	});

	it("the session is not called working any more, with the reason", async () => {
		const [session] = await alice.sessions();

		assert.equal(session.health, "needs_sign_in");
		assert.match(session.reason, /could not open what it saved; sign in to the site again/);
	});

	it("the person reads it on the dashboard", { timeout: LIMIT_MS }, async () => {
		const person = new Person(await openWindow(browser), rig.url);

		await person.signInToStead({ name: "alice", password: rig.password });
		await person.card("Deskwise").getByText(/could not open what it saved/).waitFor();
	});

	it("the operator reads it in the log", async () => {
		assert.match(await rig.stack.logText("sessiond"), /session \d+ version \d+ \(desk\) cannot be opened: /);
	});

	it("signing in again puts it right, and the booking goes on by itself", { timeout: LIMIT_MS }, async () => {
		await alice.savedSignIn();
		assert.equal((await alice.sessions())[0].health, "working");
		assert.equal((await alice.bookingIs(booking.id, ["done"])).outcome, "booked");
	});
});
