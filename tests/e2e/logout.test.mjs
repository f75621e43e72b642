/*
 * A login to Stead ends: by its person, by a reset, by the clock, and while nobody could tell streamd. Whatever was opened
 * with it ends too, at once; what was opened with another stays.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";

import { Person } from "../../demo/person.mjs";
import { openViewer, openWindow } from "../../demo/viewer.mjs";
import { becomes, LEFT_MS, LIMIT_MS, startRig } from "./rig.mjs";

const PASSWORD = "green lantern otter 47", OTHER = "velvet anchor piano 93";
let rig, alice, other;

before(async () => {
	rig = await startRig();
	other = await rig.login("alice");
});
after(() => rig?.stop());
afterEach(() => other.closeAll());

/* A browser that stands at the sign-in page, opened with a login of its own. */
async function opened()
{
	alice = await rig.login("alice");
	const signIn = await alice.open();

	await signIn.reaches("waiting");
	return signIn;
}

async function ended(signIn)
{
	await becomes(() => rig.browsers().length === 0, LEFT_MS, "The browser is still there.");
	const { step, reason, advice } = await other.show(signIn.id);

	assert.deepEqual([step, reason], ["closed", "You were signed out of Stead."]);
	assert.equal(advice, "Nothing was saved. Sign in to Stead again, then start the sign-in to the site again.");
	await signIn.until(() => signIn.closed !== null, "the end of the WebSocket");
}

/* "<login's name>" of whoever has just signed in. */
const newest = () => rig.postgres.sql("SELECT name FROM authd.logins ORDER BY created_at DESC LIMIT 1");

describe("a login", { concurrency: false }, () => {
	const idle = async (name) => Number(await rig.postgres.sql(
		`SELECT extract(epoch FROM now() - seen_at) FROM authd.logins WHERE name = '${name}'`));

	it("is in use while its person does something in the streamed browser, and not while they only look", { timeout: LIMIT_MS }, async () => {
		const signIn = await opened(), name = await newest();

		await rig.postgres.sql(`UPDATE authd.logins SET seen_at = now() - interval '100 s' WHERE name = '${name}'`);
		await signIn.painted(); /* pictures come and are acknowledged, and the page connects anew */
		await signIn.disconnect();
		await signIn.connect();
		await signIn.painted();
		assert.ok(await idle(name) >= 100);
		signIn.type("a");
		await becomes(async () => await idle(name) < 50, 60_000, "What was typed does not count as use.");
	});
});

describe("the dashboard that looks again by itself", () => {
	/* Makes the page's clock run ahead, so that nobody has touched it for long. */
	const ahead = () => {
		const now = performance.now.bind(performance);

		window.aheadMs = 0;
		performance.now = () => now() + window.aheadMs;
	};

	it("says so once nobody has touched it for a while, and no longer when somebody does", { timeout: LIMIT_MS }, async () => {
		const browser = await openViewer();

		try {
			const page = await openWindow(browser);
			const looks = async (idle) => {
				const request = await page.waitForRequest((one) => one.url().includes("/api/v1/") && one.method() === "GET"
					&& (one.headers()["stead-idle"] === "1") === idle);

				assert.ok(request);
			};

			await page.addInitScript(ahead);
			await new Person(page, rig.url).signInToStead({ name: "alice", password: PASSWORD });
			await looks(false);
			await page.evaluate(() => {
				window.aheadMs = 60_000;
			});
			await looks(true);
			await page.mouse.move(300, 300);
			await looks(false);
		} finally {
			await browser.close();
		}
	});
});

describe("the browser of a sign-in ends with the login that opened it", { concurrency: false }, () => {
	it("when its person signs out", { timeout: LIMIT_MS }, async () => {
		const signIn = await opened();

		assert.equal((await alice.call("POST", "/logout", {})).status, 200);
		await ended(signIn);
	});

	it("not when another login of theirs does", { timeout: LIMIT_MS }, async () => {
		const signIn = await opened(), third = await rig.login("alice");

		assert.equal((await third.call("POST", "/logout", {})).status, 200);
		await signIn.painted();
		assert.equal((await other.show(signIn.id)).step, "waiting");
	});

	it("when its time is up", { timeout: LIMIT_MS }, async () => {
		const signIn = await opened();

		await rig.postgres.sql(`DELETE FROM authd.logins WHERE name = '${await newest()}'`); /* as another host's authd does */
		await ended(signIn);
	});

	it("when it ended while authd was away", { timeout: LIMIT_MS }, async () => {
		const signIn = await opened();

		await rig.daemon("authd").stop("SIGKILL");
		await rig.postgres.sql(`DELETE FROM authd.logins WHERE name = '${await newest()}'`);
		await rig.daemon("authd").start();
		await becomes(() => rig.browsers().length === 0, 60_000, "The browser is still there.");
		await ended(signIn);
	});

	it("when the account's password is reset", { timeout: LIMIT_MS }, async () => {
		const signIn = await opened();

		await rig.stack.steadctl("user", "passwd", "alice", { input: `${OTHER}\n` });
		await becomes(() => rig.browsers().length === 0, LEFT_MS, "The browser is still there.");
		other = await rig.visitor("alice").login(OTHER);
		await ended(signIn);
		await rig.stack.steadctl("user", "passwd", "alice", { input: `${PASSWORD}\n` });
		other = await rig.login("alice");
	});
});
