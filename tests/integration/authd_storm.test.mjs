/*
 * A stranger who guesses, an owner who signs in, and an administrator who resets, all at one account and all at once.
 *
 * For STEAD_STORM_S seconds, 6 if that is not set.
 */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { cookie } from "../lib/authd.mjs";
import { OTHER, PASSWORD, freshAuthd, pg, refused, signedIn, usePostgres } from "../lib/authd_rig.mjs";
import { RpcClient } from "../lib/rpc.mjs";

const STORM_MS = 1000 * Number(process.env.STEAD_STORM_S ?? 6);
const QUIET_MS = 1000;
/* What a busy machine takes for itself: below this twice as long tells nothing about authd. */
const FLOOR_MS = 20;
const STRANGERS = 2, OWNERS = 3;
const MOST_GUESSES = 5000; /* from one address */

usePostgres();

function password(n)
{
	return `velvet-anchor-piano-${n}-93`;
}

function median(times)
{
	return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

/* How long another account's requests take while go() says so: the median, ms. */
async function waitsOf(authd, jar, go)
{
	const times = [];

	while (go()) {
		const began = performance.now();
		const answer = await authd.get("/account", { cookie: jar });

		assert.equal(answer.status, 200, answer.text);
		times.push(performance.now() - began);
	}
	return median(times);
}

function lasting(ms)
{
	const until = performance.now() + ms;

	return () => performance.now() < until;
}

nodeTest("the daemon lives, the reset holds, and nobody else waits", { timeout: STORM_MS + 60000 }, async (t) => {
	const authd = await freshAuthd(t, { set: { account_failures: 1000, address_failures: 10000, hash_queue: 256 } });
	const admin = await RpcClient.open(authd.socket("control"));
	const reset = (n) => admin.call("user_passwd", { name: "bob", password: password(n) });
	const { pid } = authd.child;
	const seen = { let: 0, refused: 0, guesses: 0, resets: 0 };
	let now = 0;

	t.after(() => admin.close());
	await admin.call("user_add", { name: "bob", password: password(0) });
	const carol = await signedIn(authd);
	const quiet = await waitsOf(authd, carol, lasting(QUIET_MS));
	const go = lasting(STORM_MS);

	async function stranger()
	{
		while (go()) {
			/* From another address before this one is kept out: a storm of refusals at the door would be none. */
			const ip = `198.51.100.${1 + Math.floor(seen.guesses / MOST_GUESSES) % 250}`;

			refused(await authd.signIn("bob", OTHER, { ip }), 401, "bad_password");
			seen.guesses++;
		}
	}

	/* Signs in with what was the password when it began; logins that were made so go to made. */
	async function owner(made)
	{
		const with_ = now, answer = await authd.signIn("bob", password(with_));

		if (answer.status === 200)
			made.push({ with_, jar: cookie(answer, "stead") });
		else
			refused(answer, 401, "bad_password");
		seen[answer.status === 200 ? "let" : "refused"]++;
	}

	/* Sign-ins go on while the password is reset; then all that were made with the old one are over. */
	async function round()
	{
		const made = [], old = now;
		let over = false;
		const owners = Array.from({ length: OWNERS }, async () => {
			while (!over)
				await owner(made);
		});

		await owner(made);
		await reset(old + 1);
		now = old + 1;
		over = true;
		await Promise.all(owners);
		refused(await authd.signIn("bob", password(old)), 401, "bad_password");
		for (const { with_, jar } of made)
			if (with_ === old)
				refused(await authd.get("/account", { cookie: jar }), 401, "not_signed_in");
			else
				assert.equal((await authd.get("/account", { cookie: jar })).status, 200);
		seen.resets++;
	}

	async function rounds()
	{
		while (go())
			await round();
	}

	const storm = [rounds(), ...Array.from({ length: STRANGERS }, stranger)];
	const [loud] = await Promise.all([waitsOf(authd, carol, go), ...storm]);

	t.diagnostic(`${JSON.stringify(seen)}; others waited ${quiet.toFixed(1)} ms in quiet and ${loud.toFixed(1)} ms in the storm`);
	assert.equal(authd.child.pid, pid);
	assert.equal(authd.child.exitCode, null);
	assert.ok(seen.resets > 1 && seen.let > 1 && seen.guesses > 1, JSON.stringify(seen));
	assert.ok(loud <= Math.max(2 * quiet, FLOOR_MS), `others waited ${loud} ms, and ${quiet} ms in quiet`);
	await signedIn(authd, "bob", password(now));
	assert.equal((await authd.signIn("alice", PASSWORD)).status, 200);
	assert.equal(await pg.sql("SELECT count(*) FROM authd.audit WHERE event = 'password_set'"), String(seen.resets));
});
