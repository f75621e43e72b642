/*
 * What a site does while somebody signs in: asks in a popup, is slow, takes the sign-in back, shows another account, rotates
 * its tokens, lets sessions end.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";

import { becomes, day, LIMIT_MS, startRig } from "./rig.mjs";

let rig, alice;

function turn(knobs)
{
	return rig.sites.control("/knobs", knobs);
}

before(async () => {
	rig = await startRig();
	alice = await rig.login("alice");
});
after(() => rig?.stop());

describe("what a site does", { concurrency: false }, () => {
	afterEach(async () => {
		await turn({ popup: false, slow_ms: 0, rotate: false, revoke_on_load: 0, session_ttl_s: 0, farewell: false });
		await alice.closeAll();
	});

	it("asks in a popup, which is followed there and back", { timeout: LIMIT_MS }, async () => {
		await turn({ popup: true });
		const signIn = await alice.openAtSso();

		assert.equal(signIn.page.popup, true);
		await signIn.passwordTyped();
		await signIn.codeTyped();
		await signIn.until(() => !signIn.page.popup && signIn.page.url.startsWith("https://desk.test/"), "the site's own window");
		await signIn.reaches("saved");
		await rig.nothingLeft(null, LIMIT_MS);
	});

	it("is slow", { timeout: LIMIT_MS }, async () => {
		await turn({ slow_ms: 1500 });
		await alice.savedSignIn();
		await rig.nothingLeft(null, LIMIT_MS);
	});

	it("signs out whoever leaves its page: the browser is ended without a farewell", { timeout: LIMIT_MS }, async () => {
		await turn({ farewell: true });
		await alice.savedSignIn();
		await turn({ farewell: false }); /* a bot goes from page to page by their addresses */
		const { id } = await alice.book({ date: day(1), desk: "D-201" });

		assert.equal((await alice.bookingIs(id, ["done", "needs_sign_in"])).outcome, "booked");
	});

	it("takes the sign-in back before the proof; the person goes on in the same browser", { timeout: 2 * LIMIT_MS }, async () => {
		const bob = await rig.login("bob");

		await rig.nothingLeft(null, LIMIT_MS); /* of a bot */
		await turn({ revoke_on_load: 2 });
		const signIn = await bob.openAtSso();
		const [{ pid }] = rig.browsers();

		await signIn.passwordTyped();
		await signIn.codeTyped();
		await signIn.reaches("failed");
		assert.equal(signIn.resumable, true);
		assert.ok(!signIn.steps.includes("saved"), "nobody may have read \"saved\"");
		assert.match((await signIn.show()).reason, /nobody is signed in/i);
		assert.deepEqual(await bob.sessions(), [], "a failed proof stores nothing");
		await turn({ revoke_on_load: 0 });
		signIn.again();
		signIn.say("sign_in_resume");
		await signIn.reaches("waiting");
		assert.equal(rig.browsers()[0].pid, pid);
		/* What is shown was refused: it is not tried again by itself, but it is if the person says so. */
		await signIn.painted();
		await signIn.painted();
		assert.equal(signIn.step, "waiting");
		signIn.again();
		signIn.say("sign_in_done");
		await signIn.reaches("failed");
		signIn.again();
		signIn.say("sign_in_resume");
		await signIn.reaches("waiting");
		const { loads } = signIn;

		signIn.say("page_navigate_to", { to: "reload" });
		await signIn.pageIs(/^https:\/\/desk\.test\//, loads);
		/* The provider still knows the person: no second factor is asked for. */
		if (signIn.page.url.includes("/login")) {
			signIn.press("Tab", 9);
			signIn.press("Enter", 13, "\r");
		}
		await signIn.reaches("saved");
		assert.equal((await bob.sessions())[0].version, 1);
		await rig.nothingLeft(null, LIMIT_MS);
	});

	it("shows another account than the one whose session is kept: the person is asked", { timeout: LIMIT_MS }, async () => {
		const dave = await rig.login("dave"), as = (name) => rig.account(name);
		const kept = async () => (await dave.sessions()).map(({ account, version }) => [account, version]);

		await (await dave.open()).atSite(as("alice"));
		await becomes(async () => (await dave.sessions()).length === 1, LIMIT_MS, "the first was not saved");
		const signIn = await dave.open();

		await signIn.atSite(as("bob"));
		await signIn.reaches("failed");
		assert.equal(signIn.kept, as("alice").email);
		assert.equal(signIn.resumable, true);
		assert.ok(signIn.reason.includes(as("alice").email) && signIn.reason.includes(as("bob").email), signIn.reason);
		assert.match(signIn.advice, /^Shall Stead act as bob@/);
		assert.deepEqual(await kept(), [[as("alice").email, 1]]);
		/* To go on is not to say yes, nor is a yes to something that was not asked. */
		signIn.again();
		signIn.say("sign_in_resume");
		await signIn.reaches("waiting");
		signIn.again();
		signIn.say("sign_in_done", { in_place_of: as("alice").email, account: as("carol").email });
		await signIn.reaches("failed");
		assert.equal(signIn.kept, as("alice").email);
		assert.deepEqual(await kept(), [[as("alice").email, 1]]);
		signIn.again();
		signIn.say("sign_in_done", { in_place_of: signIn.kept, account: signIn.account });
		await signIn.reaches("saved");
		assert.deepEqual(await kept(), [[as("bob").email, 2]]);
		await rig.nothingLeft(null, LIMIT_MS);
	});

	it("rotates its tokens at every load: what the proof left is what is stored", { timeout: LIMIT_MS }, async () => {
		await turn({ rotate: true });
		await alice.savedSignIn();
		const { id } = await alice.book({ date: day(1), desk: "D-202" });

		assert.equal((await alice.bookingIs(id, ["done", "needs_sign_in"])).outcome, "booked");
	});

	it("lets sessions end after a while: a booking waits, and goes on after the next sign-in", { timeout: LIMIT_MS }, async () => {
		const TTL_S = 1;

		await alice.savedSignIn();
		await turn({ session_ttl_s: TTL_S });
		await becomes(async () => (await rig.sites.control("/state")).sessions
			.every(({ signed_in_at: at }) => Date.now() > Date.parse(at) + TTL_S * 1000), LIMIT_MS, "time does not pass");
		const { id } = await alice.book({ date: day(1), desk: "D-204" });
		const { reason } = await alice.bookingIs(id, ["needs_sign_in"]);

		assert.match(reason, /nobody is signed in/);
		const [session] = await alice.sessions();

		assert.equal(session.health, "needs_sign_in");
		assert.ok(session.reason?.length > 10);
		await turn({ session_ttl_s: 0 });
		await alice.savedSignIn();
		assert.equal((await alice.bookingIs(id, ["done"])).outcome, "booked");
	});
});
