/*
 * What the tests of authd share: one PostgreSQL for a file's tests, and an authd of its own for each of them.
 *
 *	usePostgres();
 *	test("...", async (t) => {
 *		const authd = await freshAuthd(t, { set: { login_idle_s: 2 } });
 *		const jar = await signedIn(authd);
 *		refused(await authd.get("/nothing", { cookie: jar }), 404, "unknown_method");
 *	});
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test as nodeTest } from "node:test";
import { ADMIN, cookie, startAuthd } from "./authd.mjs";
import { startPostgres } from "./postgres.mjs";

export const PASSWORD = ADMIN.ADMIN_PASS;
export const OTHER = "velvet-anchor-piano-93";

/* An event that never comes is a failure, not a wait for ever. */
export const test = (name, fn) => nodeTest(name, { timeout: 300_000 }, fn);

/* There while tests run. */
export let pg;

let root, made = 0;

/* Before the file's first test and after its last. */
export function usePostgres()
{
	before(async () => {
		root = await mkdtemp("/tmp/stead-authd-");
		pg = await startPostgres({ dir: root, daemons: ["authd"] });
	});
	after(async () => {
		await pg?.stop();
		await rm(root, { recursive: true, force: true });
	});
}

/* The path of a directory that is not there yet. */
export function newDirectory()
{
	return join(root, `a${++made}`);
}

export async function empty()
{
	await pg.sql("TRUNCATE authd.users, authd.logins, authd.devices, authd.throttle, authd.audit");
}

/* An authd of this test alone, on the common database, emptied before. */
export async function freshAuthd(t, options = {})
{
	if (!options.keep)
		await empty();
	const authd = await startAuthd({ dir: newDirectory(), pg, ...options });

	t.after(async () => { /* under a sanitizer a leak is an exit status, too */
		const code = await authd.stop();

		assert.ok(code === 0 || code === "SIGKILL", `authd ended with ${code}:\n${authd.log.join("\n")}`);
	});
	if (!options.env)
		await authd.logged(/made the first administrator/);
	return authd;
}

export function refused(answer, status, code, field)
{
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.body.error.code, code);
	assert.equal(answer.body.error.field, field);
	assert.match(answer.body.error.message, /^\S.{10,}/);
	assert.equal(answer.headers["content-type"], "application/json");
	assert.equal(answer.headers["cache-control"], "no-store");
	assert.equal(answer.headers["x-content-type-options"], "nosniff");
}

export async function signedIn(authd, ...args)
{
	const answer = await authd.signIn(...args);

	assert.equal(answer.status, 200, answer.text);
	return cookie(answer, "stead");
}
